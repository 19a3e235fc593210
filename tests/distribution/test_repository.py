"""What a publisher sends, in which order, and what it refuses to send."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from blocklist import Snapshot
from blocklist.distribution import repository as module
from blocklist.distribution.objects import ObjectStore
from blocklist.distribution.publisher_state import forget_sent, read_sent
from blocklist.distribution.repository import NewerInStoreError
from blocklist.domain.clock import now
from blocklist.domain.errors import DistributionError
from tests.distribution.signed import Publishing
from tests.support import Clock

NEW = [f"new-{number}.example" for number in range(40)]


def objects(publishing: Publishing) -> set[str]:
    return {str(path.relative_to(publishing.store)) for path in publishing.store.rglob("*") if path.is_file()}


def test_a_client_of_the_framework_finds_the_snapshot_and_when_it_was_confirmed(
    publishing: Publishing, tmp_path: Path
) -> None:
    pointer = publishing.publish(confirmed_at="2026-01-02T03:04:05Z")
    found = publishing.look(tmp_path / "node")
    assert found.snapshot == (publishing.snapshots.folder / pointer.file).read_bytes()
    assert (found.state.version, found.state.confirmed_at) == (1, "2026-01-02T03:04:05Z")
    assert (found.state.sha256, found.whole) == (pointer.sha256, True)


def test_a_change_is_sent_as_a_delta_against_the_base_which_is_sent_once(
    publishing: Publishing, tmp_path: Path
) -> None:
    publishing.publish()
    before = objects(publishing)
    for round_ in (1, 2):
        pointer = publishing.publish(*NEW[: 20 * round_])
        found = publishing.look(tmp_path / f"node-{round_}")
        assert not found.whole
        assert found.snapshot == (publishing.snapshots.folder / pointer.file).read_bytes()
    new = objects(publishing) - before
    assert not [path for path in new if path.endswith("base.snapshot")]
    deltas = [publishing.store / path for path in new if path.endswith(".delta")]
    assert len(deltas) == 2
    assert max(path.stat().st_size for path in deltas) * 4 < len(found.snapshot)


def test_a_whole_compile_is_sent_whole_and_is_the_next_base(publishing: Publishing, tmp_path: Path) -> None:
    publishing.publish()
    publishing.publish(*NEW[:5])
    publishing.publish(*NEW, whole=True)
    assert publishing.look(tmp_path / "a").whole
    sent = read_sent(publishing.folder / "distribution")
    assert sent is not None
    assert [path.name for path in (publishing.folder / "distribution").glob("*.snapshot")] == [f"{sent.base}.snapshot"]


def test_only_the_timestamp_is_ever_replaced(publishing: Publishing, clock: Clock) -> None:
    publishing.publish()
    before = {path: (publishing.store / path).read_bytes() for path in objects(publishing)}
    clock.advance(300)
    publishing.send()
    publishing.publish(*NEW)
    after = {path: (publishing.store / path).read_bytes() for path in before}
    assert [path for path in before if before[path] != after[path]] == ["metadata/timestamp.json"]


def test_signing_again_sends_the_timestamp_alone(publishing: Publishing, tmp_path: Path, clock: Clock) -> None:
    pointer = publishing.publish()
    repository = publishing.repository()
    assert not repository.is_due(pointer)
    clock.advance(299)
    assert not repository.is_due(pointer)
    clock.advance(1)
    assert repository.is_due(pointer)
    before, first = objects(publishing), publishing.look(tmp_path / "node")
    publishing.snapshots.confirm(now())
    publishing.send()
    assert objects(publishing) == before
    second = publishing.look(tmp_path / "node")
    assert second.number > first.number
    assert second.state.confirmed_at == now()


def test_numbers_grow_although_what_was_sent_is_forgotten_and_the_clock_is_set_back(
    publishing: Publishing, tmp_path: Path, clock: Clock
) -> None:
    publishing.publish()
    first = publishing.look(tmp_path / "node")
    clock.advance(-200)
    forget_sent(publishing.folder / "distribution")
    publishing.send()
    assert publishing.look(tmp_path / "node").number > first.number


def test_a_kill_between_any_two_uploads_leaves_the_old_list_or_the_new_and_the_next_attempt_succeeds(
    publishing: Publishing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    class Killed(BaseException):
        pass

    old = publishing.publish()
    uploads = 0

    def counted(name: str, limit: int) -> Any:
        original = getattr(ObjectStore, name)

        def call(self: ObjectStore, path: str, *arguments: Any) -> Any:
            nonlocal uploads
            if uploads >= limit:
                raise Killed
            uploads += 1
            return original(self, path, *arguments)

        return call

    new = publishing.compile(*NEW)
    for limit in range(20):
        uploads = 0
        clock.advance(1)
        with monkeypatch.context() as patch:
            for name in ("create", "create_named", "replace"):
                patch.setattr(ObjectStore, name, counted(name, limit))
            try:
                publishing.send(new)
            except Killed:
                found = publishing.look(tmp_path / f"node-{limit}")
                assert found.state.version == old.version
            else:
                break
    assert limit >= 5
    found = publishing.look(tmp_path / "node")
    assert found.state.version == new.version
    assert Snapshot(Path("x"), found.snapshot).lookup(NEW[0]).listed


def test_a_kill_before_it_is_noted_that_the_timestamp_was_sent_does_no_harm(
    publishing: Publishing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish()
    pointer = publishing.compile(*NEW)
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_sent", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publishing.send(pointer)
    first = publishing.look(tmp_path / "node")
    assert first.state.version == 2
    publishing.send(pointer)
    assert publishing.look(tmp_path / "node").number > first.number


def test_a_store_that_has_a_newer_version_of_ours_is_not_overwritten(
    tmp_path: Path, publishing: Publishing, clock: Clock
) -> None:
    for changed in range(3):
        publishing.publish(*NEW[:changed])
    lost = Publishing(tmp_path / "new", publishing.address)
    lost.folder.mkdir()
    for name in ("online.pem", "trust"):
        (publishing.folder / name).rename(lost.folder / name)
    before = (publishing.store / "metadata" / "timestamp.json").read_bytes()
    with pytest.raises(DistributionError, match="another control plane with our key signed version 3 on"):
        lost.publish()
    clock.advance(901)
    with pytest.raises(NewerInStoreError) as caught:
        lost.send()
    assert caught.value.version == 3
    assert (publishing.store / "metadata" / "timestamp.json").read_bytes() == before


def test_a_copy_of_a_control_plane_does_not_publish_while_the_original_does(
    tmp_path: Path, publishing: Publishing, clock: Clock
) -> None:
    publishing.publish()
    copy = Publishing(tmp_path / "copy", publishing.address)
    shutil.copytree(publishing.folder, copy.folder, ignore=shutil.ignore_patterns("store"))
    publishing.publish(*NEW[:1])
    for number in range(2, 12):
        clock.advance(300)
        publishing.send()
        with pytest.raises(DistributionError, match="two must not publish into one place"):
            copy.publish(*NEW[:number])
    assert publishing.look(tmp_path / "node").state.version == 2


def test_a_publisher_that_was_killed_after_it_signed_knows_its_own_signature(
    publishing: Publishing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish()
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_sent", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publishing.publish(*NEW[:1])
    publishing.publish(*NEW)
    assert publishing.look(tmp_path / "node").state.version == 3


def test_a_store_of_another_trust_root_is_refused(tmp_path: Path, publishing: Publishing) -> None:
    publishing.publish()
    other = Publishing.begun(tmp_path / "other", publishing.address.url)
    with pytest.raises(DistributionError, match="belongs to another trust root"):
        other.publish()


def test_a_timestamp_that_we_did_not_sign_does_not_matter(publishing: Publishing, tmp_path: Path) -> None:
    publishing.publish()
    path = publishing.store / "metadata" / "timestamp.json"
    table = json.loads(path.read_bytes())
    table["signed"]["version"] = 2_000_000_000
    for content in (json.dumps(table), "{}", "", "nonsense"):
        path.write_text(content)
        publishing.send()
        assert publishing.look(tmp_path / "node").number < 2_000_000_000


def test_the_online_key_must_be_that_of_the_trust_metadata(publishing: Publishing) -> None:
    pointer = publishing.compile()
    with pytest.raises(DistributionError, match="not a key that may sign this"):
        publishing.repository("targets").send(pointer, publishing.snapshots.folder / pointer.file)
    assert not publishing.store.exists() or objects(publishing) == set()


@pytest.mark.parametrize("role", ["root", "targets"])
def test_expired_trust_metadata_is_told_with_the_command_that_renews_it(
    publishing: Publishing, clock: Clock, role: str, tmp_path: Path
) -> None:
    publishing.publish()
    clock.advance(86_400 * 366)
    other = "targets" if role == "root" else "root"
    publishing.ceremony.rotate(other, sign_with=[f"file:{publishing.folder / f'{other}.pem'}"])
    with pytest.raises(DistributionError, match=f"'blocklist trust rotate {role}' renews it"):
        publishing.send()
    publishing.ceremony.rotate(role, sign_with=[f"file:{publishing.folder / f'{role}.pem'}"])
    publishing.send()
    assert publishing.look(tmp_path / "node").state.version == 1


def test_another_online_key_is_used_as_soon_as_the_rotation_is_signed(publishing: Publishing, tmp_path: Path) -> None:
    publishing.publish()
    cache = tmp_path / "node"
    publishing.look(cache)
    (old,) = publishing.trust.current().online_keys
    signed_with = [f"file:{publishing.folder / f'{name}.pem'}" for name in ("root", "targets")]
    publishing.ceremony.rotate("online", [f"file:{publishing.folder / 'next.pem'}"], [old.keyid], None, signed_with)
    pointer = publishing.snapshots.pointer()
    assert pointer is not None
    with pytest.raises(DistributionError, match="not a key that may sign this"):
        publishing.send()
    publishing.repository("next").send(pointer, publishing.snapshots.folder / pointer.file)
    assert publishing.look(cache).root == 2


def test_the_lists_are_signed_again_before_they_expire(publishing: Publishing, tmp_path: Path, clock: Clock) -> None:
    pointer = publishing.publish()
    clock.advance(86_400 * 16)
    assert publishing.repository().is_due(pointer)
    publishing.send()
    clock.advance(86_400 * 16)
    publishing.send()
    assert publishing.look(tmp_path / "node").state.version == 1


def test_old_objects_go_after_the_time_that_a_node_may_need_them_and_no_others(
    publishing: Publishing, tmp_path: Path, clock: Clock
) -> None:
    publishing.publish()
    publishing.publish(*NEW[:3])
    publishing.publish(*NEW, whole=True)
    repository = publishing.repository()
    there = objects(publishing)
    assert repository.prune() == 0
    clock.advance(3_599)
    assert repository.prune() == 0
    assert objects(publishing) == there
    clock.advance(1)
    # Two of lists, two of snapshot, the first base and the delta.
    assert repository.prune() == 6
    publishing.send()
    assert publishing.look(tmp_path / "node").state.version == 3


def test_objects_that_a_killed_attempt_left_go_too_and_roots_never(publishing: Publishing, clock: Clock) -> None:
    publishing.publish()
    left = publishing.store / "metadata" / "77.lists.json"
    left.write_bytes(b"{}")
    publishing.repository().prune()
    clock.advance(3_600)
    publishing.repository().prune()
    assert not left.exists()
    assert (publishing.store / "metadata" / "1.root.json").exists()


def test_everything_is_sent_again_when_the_store_lost_something(publishing: Publishing, tmp_path: Path) -> None:
    publishing.publish()
    pointer = publishing.publish(*NEW)
    for name in ("*.base.snapshot", "*.delta", "*.lists.json"):
        for path in publishing.store.rglob(name):
            path.unlink()
    repository = publishing.repository()
    assert not repository.is_due(pointer)
    repository.prune()
    assert repository.is_due(pointer)
    publishing.send()
    assert publishing.look(tmp_path / "node").state.version == 2
