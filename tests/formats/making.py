"""Documents made up for tests, as small as they can be."""

from __future__ import annotations

import io
import zipfile

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_HIDDEN = ' state="hidden"'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # OpenDocument wants its media type uncompressed (part 2, section 3.3).
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def xlsx(sheets: dict[str, str], hidden: tuple[str, ...] = (), before: str = "") -> bytes:
    """Return a workbook; each sheet is given as the XML of its rows."""
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"{_HIDDEN * (name in hidden)}/>'
        for i, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{_KIND}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_KIND}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_KIND}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{related}</Relationships>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return zipped(files)


#: Styles of cells: 0 is plain, 1 a date, 2 struck through.
STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
    '<fonts count="2"><font/><font><strike/></font></fonts><fills count="1"><fill/></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0"/>'
    '<xf numFmtId="164" fontId="0" applyNumberFormat="1"/><xf numFmtId="0" fontId="1" applyFont="1"/></cellXfs>'
    "</styleSheet>"
)


def workbook(*sheets: str, links: tuple[str, ...] = (), strings: str = "") -> bytes:
    """Return a workbook with :data:`STYLES`; each sheet is given as the XML inside of its ``worksheet``.

    ``links``: where the hyperlinks ``rId1``, ``rId2`` and so on of the first sheet lead. ``strings``: the XML of the
    shared strings.
    """
    numbers = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="S{i}" sheetId="{i}" r:id="rId{i}"/>' for i in numbers)
    related = "".join(_relation(f"rId{i}", "worksheet", f"worksheets/sheet{i}.xml") for i in numbers)
    related += _relation("rId90", "styles", "styles.xml") + _relation("rId91", "sharedStrings", "sharedStrings.xml")
    linked = "".join(_relation(f"rId{i}", "hyperlink", target) for i, target in enumerate(links, 1))
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}"/></Types>',
        "_rels/.rels": _relations(_relation("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_KIND}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(related),
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        "xl/worksheets/_rels/sheet1.xml.rels": _relations(linked),
    }
    for number, inside in zip(numbers, sheets, strict=True):
        files[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{_MAIN}" xmlns:r="{_KIND}">{inside}</worksheet>'
    return zipped(files)


def _relation(id_: str, kind: str, target: str) -> str:
    mode = ' TargetMode="External"' if kind == "hyperlink" else ""
    return f'<Relationship Id="{id_}" Type="{_KIND}/{kind}" Target="{target}"{mode}/>'


def _relations(inside: str) -> str:
    return f'<Relationships xmlns="{_RELATIONS}">{inside}</Relationships>'


def row(number: int, *cells: str, more: str = "") -> str:
    """Return the XML of a row; a cell is text, or XML in which ``@`` stands for its place; an empty one is left out.

    ``more``: further attributes of the row.
    """
    inside = ""
    for letter, content in zip("ABCDEFG", cells, strict=False):
        place = f"{letter}{number}"
        if content:
            inside += content.replace("@", place) if content.startswith("<c") else cell(place, content)
    return f'<row r="{number}"{more}>{inside}</row>'


def ods(rows: list[list[str]], more: str = "", styles: str = "") -> bytes:
    """Return a sheet of these rows; ``more`` is the XML of rows behind them, ``styles`` that of styles before them."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    body = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>' for text in row
        )
        + "</table:table-row>"
        for row in rows
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0"/>',
            "content.xml": f'<office:document-content xmlns:office="{office}:office:1.0" '
            f'xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0">'
            f'{styles}<office:body><office:spreadsheet><table:table table:name="A">{body}{more}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        }
    )


def pdf(*pages: str) -> bytes:
    """Return a PDF; each page is given as its drawing instructions."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for index, drawn in enumerate(pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>"
            f"/Contents {5 + 2 * index} 0 R>>"
        )
        objects.append(f"<</Length {len(drawn)}>>\nstream\n{drawn}\nendstream\n")
    out, places = "%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{item}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return (out + start + f"startxref\n{len(out)}\n%%EOF").encode()


def words(x: int, y: int, text: str) -> str:
    return f"BT /F 10 Tf {x} {y} Td ({text}) Tj ET\n"


def grid(rows: list[list[str]], width: int = 200, height: int = 20) -> str:
    """Return the drawing of a table with ruled lines."""
    top, drawn = 700, ""
    for line in range(len(rows) + 1):
        drawn += f"50 {top - line * height} m {50 + width * len(rows[0])} {top - line * height} l S\n"
    for column in range(len(rows[0]) + 1):
        drawn += f"{50 + column * width} {top} m {50 + column * width} {top - height * len(rows)} l S\n"
    for line, row in enumerate(rows):
        for column, text in enumerate(row):
            drawn += words(55 + column * width, top - 15 - line * height, text)
    return drawn
