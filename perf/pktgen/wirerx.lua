-- SPDX-License-Identifier: BSD-3-Clause
--
-- The traffic of wirerx-gen's patterns by Pktgen-DPDK's Lua functions. Each function sends, waits for the
-- end, and returns what was sent by line. report() prints that as one line that perf/pktgen/run.py reads.

local wirerx = {}

-- On the wire a frame has 20 bytes more: preamble and gap.
local WIRE_BYTES = 20
-- Pktgen's table of sequences.
local MOST_GROUPS = 16
-- Between two looks at whether a port still sends.
local LOOK_MS = 10

local settings

local function each_line(lines)
    return lines == 2 and { "A", "B" } or { "A" }
end

local function group_address(first, offset)
    local a, b, c, d = first:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
    local value = ((a * 256 + b) * 256 + c) * 256 + d + offset
    value = math.floor(value)
    return string.format("%d.%d.%d.%d", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255)
end

-- RFC 1112: a group's MAC address holds the low 23 bits of its address.
local function group_mac(address)
    local _, b, c, d = address:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
    return string.format("01:00:5e:%02x:%02x:%02x", math.floor(b) & 127, math.floor(c), math.floor(d))
end

-- Addresses, and one sequence for each group. `frame` is RFC 2544's size, with the checksum's 4 bytes.
local function configure(line, frame)
    local port = settings.ports[line]

    pktgen.stop(port)
    pktgen.set_type(port, "ipv4")
    pktgen.set_proto(port, "udp")
    pktgen.set(port, "size", frame)
    pktgen.set(port, "sport", settings.source_port[line])
    pktgen.set(port, "dport", settings.port)
    pktgen.set_mac(port, "src", settings.mac[line])
    pktgen.set_mac(port, "dst", group_mac(settings.groups[line]))
    pktgen.set_ipaddr(port, "src", settings.source[line] .. "/32")
    pktgen.set_ipaddr(port, "dst", settings.groups[line])
    if settings.group_count == 1 then
        pktgen.set(port, "seq_cnt", 0)
        return
    end
    for i = 0, settings.group_count - 1 do
        local group = group_address(settings.groups[line], i)

        pktgen.seqTable(i, port, {
            eth_dst_addr = group_mac(group),
            eth_src_addr = settings.mac[line],
            ip_dst_addr = group,
            ip_src_addr = settings.source[line] .. "/32",
            sport = settings.source_port[line],
            dport = settings.port,
            ethType = "ipv4",
            ipProto = "udp",
            vlanid = 1,
            pktSize = frame,
        })
    end
    pktgen.set(port, "seq_cnt", settings.group_count)
end

-- Frames a second that the link of a line carries.
function wirerx.line_rate(line, frame)
    local port = settings.ports[line]
    local state = pktgen.linkState(port)[tonumber(port)]
    local megabits = tonumber(state:match("(%d+)"))

    if megabits == nil then
        error("the link of port " .. port .. " is not up: " .. state)
    end
    return megabits * 1e6 / ((frame + WIRE_BYTES) * 8)
end

local function sent_by(line)
    local port = settings.ports[line]

    return pktgen.portStats(port, "port")[tonumber(port)].opackets
end

local function wait_until_sent(lines)
    for _, line in ipairs(each_line(lines)) do
        local port = settings.ports[line]

        while pktgen.isSending(port)[tonumber(port)] == "y" do
            pktgen.delay(LOOK_MS)
        end
    end
end

local function collect(lines)
    local sent = {}

    pktgen.delay(settings.settle_ms)
    for _, line in ipairs(each_line(lines)) do
        sent[line] = sent_by(line)
    end
    return sent
end

-- Use a lab's settings; those not given are settings.lua's.
function wirerx.setup(changes)
    local folder = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

    settings = dofile(os.getenv("WIRERX_SETTINGS") or folder .. "/settings.lua")
    for name, value in pairs(changes or {}) do
        settings[name] = value
    end
    if settings.group_count < 1 or settings.group_count > MOST_GROUPS then
        error("group_count must be 1 to " .. MOST_GROUPS)
    end
    pktgen.screen("off")
end

-- A steady rate: `pps` frames of `frame` bytes a second on each line, for `ms` milliseconds.
function wirerx.steady(trial)
    local lines = trial.lines or 1

    for _, line in ipairs(each_line(lines)) do
        local port = settings.ports[line]
        local percent = trial.pps * 100 / wirerx.line_rate(line, trial.frame)

        if percent > 100 then
            error(string.format("%d frames/s of %d bytes are more than line rate", trial.pps,
                trial.frame))
        end
        configure(line, trial.frame)
        pktgen.set(port, "rate", percent)
        pktgen.set(port, "count", math.floor(trial.pps * trial.ms / 1000 + 0.5))
    end
    pktgen.clr()
    for _, line in ipairs(each_line(lines)) do
        pktgen.start(settings.ports[line])
        -- Pktgen waits in milliseconds: a finer skew is wirerx-gen's.
        if line == "A" and lines == 2 and (trial.skew_ms or 0) > 0 then
            pktgen.delay(trial.skew_ms)
        end
    end
    wait_until_sent(lines)
    return collect(lines)
end

-- `bursts` times `burst` frames back to back at line rate, from start to start `every_ms` apart.
function wirerx.bursts(trial)
    local lines = trial.lines or 1
    local sent = {}

    for _, line in ipairs(each_line(lines)) do
        configure(line, trial.frame)
        pktgen.set(settings.ports[line], "rate", 100)
        pktgen.set(settings.ports[line], "count", trial.burst)
        sent[line] = 0
    end
    pktgen.clr()
    for _ = 1, trial.bursts do
        for _, line in ipairs(each_line(lines)) do
            pktgen.start(settings.ports[line])
            if line == "A" and lines == 2 and (trial.skew_ms or 0) > 0 then
                pktgen.delay(trial.skew_ms)
            end
        end
        wait_until_sent(lines)
        pktgen.delay(trial.every_ms)
    end
    return collect(lines)
end

-- A multicast feed: bursts on all groups, of lengths that the seed picks, `pps` frames a second on average.
function wirerx.feed(trial)
    local lines = trial.lines or 2
    local left = math.floor(trial.pps * trial.ms / 1000 + 0.5)

    math.randomseed(trial.seed or 1)
    for _, line in ipairs(each_line(lines)) do
        configure(line, trial.frame)
        pktgen.set(settings.ports[line], "rate", 100)
    end
    pktgen.clr()
    while left > 0 do
        local burst = math.min(left, math.random(1, 2 * trial.burst - 1))

        if math.random(100) == 1 then -- news
            burst = math.min(left, burst * 16)
        end
        for _, line in ipairs(each_line(lines)) do
            pktgen.set(settings.ports[line], "count", burst)
            pktgen.start(settings.ports[line])
            if line == "A" and lines == 2 and (trial.skew_ms or 0) > 0 then
                pktgen.delay(trial.skew_ms)
            end
        end
        wait_until_sent(lines)
        pktgen.delay(math.max(1, math.floor(burst * 1000 / trial.pps)))
        left = left - burst
    end
    return collect(lines)
end

-- One line for whoever drives this over Pktgen's socket.
function wirerx.report(sent)
    print(string.format("wirerx-sent A=%d B=%d", sent.A or 0, sent.B or 0))
end

-- Run one and report it, whatever happens.
function wirerx.run(name, trial)
    local fine, result = pcall(wirerx[name], trial)

    if fine then
        wirerx.report(result)
    else
        print("wirerx-failed " .. tostring(result):gsub("%s+", " "))
    end
end

return wirerx
