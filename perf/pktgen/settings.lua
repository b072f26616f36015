-- SPDX-License-Identifier: BSD-3-Clause
--
-- What a lab's scripts need to know about it. Copy, edit, and name the copy in WIRERX_SETTINGS, or edit here.

return {
    -- Pktgen's ports: of line A, and of line B where there is one.
    ports = { A = "0", B = "1" },

    -- The first group of each line, and how many there are from it on: Pktgen cycles through at most 16.
    groups = { A = "239.200.0.1", B = "239.201.0.1" },
    group_count = 1,
    port = 5000,

    -- The sender. Addresses of RFC 2544's range for tests.
    source = { A = "198.18.0.1", B = "198.18.0.1" },
    source_port = { A = 40000, B = 40001 },
    mac = { A = "02:77:67:65:6e:41", B = "02:77:67:65:6e:42" },

    -- Milliseconds for the last frames to reach the receiver.
    settle_ms = 500,
}
