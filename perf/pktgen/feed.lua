-- SPDX-License-Identifier: BSD-3-Clause
--
-- By hand, without run.py: a feed of 16 groups on lines A and B, then microbursts on line A.
--
--   pktgen -l 0-4 -a 0000:01:00.0 -a 0000:01:00.1 -- -P -m "[1:2].0,[3:4].1" -f perf/pktgen/feed.lua

local folder = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local wirerx = dofile(folder .. "/wirerx.lua")

wirerx.setup({ group_count = 16 })
wirerx.run("feed", { frame = 128, pps = 50000, ms = 10000, burst = 8, lines = 2, skew_ms = 1 })
for _, burst in ipairs({ 10, 100, 1000, 10000 }) do
    wirerx.run("bursts", { frame = 128, burst = burst, bursts = 10, every_ms = 500 })
end
