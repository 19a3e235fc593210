-- Asks the gate of a blocklist node about the page that a request for an ad is for.
-- http-request lua.blocklist_gate http://NODE/v1/gate

-- The node is near: an auction does not wait longer. Milliseconds.
local TIMEOUT = 100

core.register_action("blocklist_gate", { "http-req" }, function(txn, address)
    local asked = {}
    local referer = txn.sf:req_hdr("referer")
    local origin = txn.sf:req_hdr("origin")
    if referer ~= "" then asked["referer"] = { referer } end
    if origin ~= "" then asked["origin"] = { origin } end
    -- ?page= of the ad request, still percent-encoded as it came. "&" ends it, so it adds no parameter of its own.
    local page = txn.sf:url_param("page")
    if page ~= "" then address = address .. "?url=" .. page end
    local ok, answer = pcall(function()
        return core.httpclient():get { url = address, headers = asked, timeout = TIMEOUT }
    end)
    local status, rule = 0, ""
    if ok and answer then
        status = answer.status or 0
        local said = answer.headers and answer.headers["blocklist-rule"]
        if said then rule = said[0] end
    end
    txn:set_var("txn.blocklist_status", status)
    txn:set_var("txn.blocklist_rule", rule)
end, 1)
