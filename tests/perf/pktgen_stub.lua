-- SPDX-License-Identifier: BSD-3-Clause
--
-- Stands in for Pktgen: the functions of its Lua interface that perf/pktgen uses, each of which checks its
-- arguments as Pktgen does, plays a port that sends, and prints what it was called with.
--
--   lua5.4 pktgen_stub.lua SCRIPT    run a script
--   lua5.4 pktgen_stub.lua           run what comes on standard input, line by line, as Pktgen's socket does

io.stdout:setvbuf("line")

local ports = {}
local settable = {
    count = true, size = true, rate = true, burst = true, sport = true, dport = true, ttl = true,
    seq_cnt = true,
}

local function show(value)
    if type(value) ~= "table" then
        return tostring(value)
    end
    local keys, parts = {}, {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    for _, key in ipairs(keys) do
        parts[#parts + 1] = key .. "=" .. tostring(value[key])
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

local function port_of(text)
    assert(type(text) == "string" and text:match("^%d+$"), "a port list is a string: " .. show(text))
    ports[text] = ports[text] or { opackets = 0, count = 0, looks = 0 }
    return ports[text]
end

local function mac(text)
    assert(text:match("^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$"), "no MAC address: " .. show(text))
end

local function address(text, with_mask)
    assert(text:match(with_mask and "^%d+%.%d+%.%d+%.%d+/%d+$" or "^%d+%.%d+%.%d+%.%d+$"),
        "no address: " .. show(text))
end

-- What each takes, how many arguments, and what it does.
local functions = {
    set = { 3, function(port, what, value)
        assert(settable[what], "set does not support " .. show(what))
        assert(type(value) == "number", "a number is wanted for " .. what)
        assert(what == "rate" and value > 0 and value <= 100 or what ~= "rate", "rate " .. value)
        assert(what == "size" and value >= 64 and value <= 1518 or what ~= "size", "size " .. value)
        assert(what ~= "seq_cnt" or value <= 16, "seq_cnt " .. value)
        port_of(port)[what] = value
    end },
    set_mac = { 3, function(port, which, text)
        port_of(port)
        assert(which == "dst" or which == "src")
        mac(text)
    end },
    set_ipaddr = { 3, function(port, which, text)
        port_of(port)
        assert(which == "dst" or which == "src")
        address(text, which == "src")
    end },
    set_proto = { 2, function(port, text)
        port_of(port)
        assert(text == "udp")
    end },
    set_type = { 2, function(port, text)
        port_of(port)
        assert(text == "ipv4")
    end },
    seqTable = { 3, function(index, port, row)
        port_of(port)
        assert(math.type(index) == "integer" and index >= 0 and index < 16)
        mac(row.eth_dst_addr)
        mac(row.eth_src_addr)
        address(row.ip_dst_addr, false)
        address(row.ip_src_addr, true)
        for _, name in ipairs({ "sport", "dport", "vlanid", "pktSize" }) do
            assert(math.type(row[name]) == "integer", name)
        end
        assert(row.ipProto == "udp" and row.ethType == "ipv4")
    end },
    start = { 1, function(text)
        local port = port_of(text)
        assert(port.count > 0, "this would send for ever")
        assert(math.type(port.count) == "integer", "count")
        port.opackets = port.opackets + port.count
        port.looks = 2
    end },
    stop = { 1, function(text)
        port_of(text).looks = 0
    end },
    clr = { 0, function()
        for _, port in pairs(ports) do
            port.opackets = 0
        end
    end },
    screen = { 1, function(text)
        assert(text == "on" or text == "off")
    end },
    delay = { 1, function(ms)
        assert(type(ms) == "number" and ms == math.floor(ms), "delay wants whole milliseconds")
    end },
    isSending = { 1, function(text)
        local port = port_of(text)
        port.looks = port.looks - 1
        return { [tonumber(text)] = port.looks >= 0 and "y" or "n", n = 1 }
    end },
    linkState = { 1, function(text)
        port_of(text)
        return { [tonumber(text)] = os.getenv("STUB_LINK") or "<UP-10000-FD>", n = 1 }
    end },
    portStats = { 2, function(text, kind)
        assert(kind == "port" or kind == "rate")
        return { [tonumber(text)] = { opackets = port_of(text).opackets, ipackets = 0 }, n = 1 }
    end },
    quit = { 0, function()
        os.exit(0)
    end },
}

pktgen = setmetatable({}, { __index = function(_, name)
    local entry = functions[name]

    assert(entry, "Pktgen has no function " .. tostring(name) .. " in this stub")
    return function(...)
        local words = table.pack(...)
        local shown = {}

        assert(words.n == entry[1], name .. ", wrong number of arguments")
        for i = 1, words.n do
            shown[i] = show(words[i])
        end
        print("call " .. name .. " " .. table.concat(shown, " "))
        return entry[2](...)
    end
end })

if arg[1] then
    dofile(arg[1])
else
    for line in io.lines() do
        local chunk, reason = load(line)
        local fine, failure = false, reason
        if chunk then
            fine, failure = pcall(chunk)
        end
        if not fine then
            print("error " .. tostring(failure))
        end
    end
end
