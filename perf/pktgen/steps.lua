-- SPDX-License-Identifier: BSD-3-Clause
--
-- By hand, without run.py: RFC 2544's frame sizes at a tenth to all of line rate, ten seconds each.
-- Compare what it prints with `wirerx recv --json` on the other side.
--
--   pktgen -l 0-2 -a 0000:01:00.0 -- -P -m "1.0" -f perf/pktgen/steps.lua

local folder = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local wirerx = dofile(folder .. "/wirerx.lua")

wirerx.setup()
for _, frame in ipairs({ 64, 128, 256, 512, 1024, 1280, 1518 }) do
    for percent = 10, 100, 10 do
        local pps = math.floor(wirerx.line_rate("A", frame) * percent / 100)

        print(string.format("%d bytes at %d %% of line rate, %d frames/s", frame, percent, pps))
        wirerx.run("steady", { frame = frame, pps = pps, ms = 10000 })
    end
end
