# SPDX-License-Identifier: BSD-3-Clause
"""Where Wine 8.0 prints another line than ours, and who says that ours is right: the page (by the
short name that ../shared/winsock-semantics.md gives it, in its words shortened) or, where pages
disagree or are silent, the clause that decided. A line that differs and is not here is a failure of
compare.py, and so is one that is here and no longer differs."""

PAGES = {
    "RECV": "LPWSPRECV callback function",
    "WSARECV": "WSARecv function",
    "RECVAPI": "recv function",
    "RECVFROM": "recvfrom function",
    "GOR": "WSAGetOverlappedResult function",
    "CLOSE": "closesocket function",
    "SOCK": "LPWSPSOCKET callback function",
}

UNBOUND = "RECV: WSAEINVAL: the socket has not been bound"
NO_BUFFER = "clause A11, of Windows: WSAEINVAL; no page has it"
COUNT = "clause I02, of Windows: the count is that of the bytes copied; no page has it"
OUTPUT = "clause H11: *lpFlags reads 0; RECV has one flag that is set on output, MSG_PARTIAL"
OUT_OF_BAND = "RECV: WSAEOPNOTSUPP: MSG_OOB was specified, but the socket is not stream-style"
PEEK = "RECV: MSG_PEEK is valid only for nonoverlapped sockets; clause H03: WSAEOPNOTSUPP"
PORT = ("RECVFROM: WSAECONNRESET: a previous send operation resulted in an ICMP Port Unreachable"
        " message")
ONE_ERROR = ("RECV: an error code other than WSA_IO_PENDING says that no operation was initiated"
             " and that no completion indication will occur; clause C05")
FAULT = "GOR: WSAEFAULT: lpOverlapped, lpcbTransfer or lpdwFlags is no valid memory; clause E08"
CLOSED = "CLOSE: pending overlapped operations fail with the error status WSA_OPERATION_ABORTED"
NO_FLAGS = "clause E05: *lpdwFlags is untouched by a failure"

# program -> line -> (what Wine prints, who says otherwise)
DIFFERENT = {
    "blocking": {
        "B02 of that routine": (
            "calls=1", "clause B02: without lpOverlapped the receive is not overlapped; RECV: for"
            " those lpCompletionRoutine is ignored"),
        "A07 no place for the count": (
            "result=0 error=0 bytes=77 flags=0 data=abcd....",
            "WSARECV: lpNumberOfBytesRecvd can be NULL only if lpOverlapped is not NULL"),
        "A11 no buffer": ("result=-1 error=10040 bytes=77 partial=0 data=........", NO_BUFFER),
        "A11 no array": ("result=-1 error=10040 bytes=77 partial=0 data=........", NO_BUFFER),
        "A14 a flag that there is not": (
            "result=0 error=0 bytes=4 flags=1048576 data=abcd....",
            "RECVAPI: WSAEINVAL: an unknown flag was specified"),
        "A17 a socket without an address": (
            "result=-1 error=10035 bytes=77 data=........", UNBOUND),
        "O03 a group that there is not": (
            "result=0 error=0", "SOCK: WSAEINVAL: the value for g is not valid"),
        "I02 the count when two are too small": (
            "result=-1 error=10040 bytes=77 partial=0 data=ab.cd...", COUNT),
        "G06 a look without room": (
            "result=-1 error=10040 bytes=77 partial=0 data=........", COUNT),
        "G06 a receive without room": (
            "result=-1 error=10040 bytes=77 partial=0 data=........", COUNT),
        "I01 a datagram longer than the room": (
            "result=-1 error=10040 bytes=77 partial=0 data=abcd....", COUNT),
        "H01 a look": ("result=0 error=0 bytes=4 flags=2 data=abcd....", OUTPUT),
        "H04 a look at a longer one": (
            "result=-1 error=10040 bytes=77 partial=0 data=abcd....", COUNT),
        "H05 MSG_OOB": ("result=0 error=0 bytes=4 flags=1 data=abcd....", OUT_OF_BAND),
        "H13 MSG_WAITALL": (
            "result=0 error=0 bytes=4 flags=8 data=abcd....",
            "RECVAPI: MSG_WAITALL is not supported on datagram sockets"),
        "H14 MSG_PUSH_IMMEDIATE": ("result=0 error=0 bytes=4 flags=32 data=abcd....", OUTPUT),
        "H16 MSG_PARTIAL": (
            "result=0 error=0 bytes=4 flags=32768 data=abcd....",
            "RECV: MSG_PARTIAL is for protocols that support it; clause H16: WSAEOPNOTSUPP"),
        "I08 too little room for the source": (
            "result=4 error=0", "RECVFROM: WSAEFAULT: fromlen is too small for the address"),
        "I05 also of what came before it connected": (
            "result=0 error=0 bytes=5 flags=0 data=other...",
            "RECV: the function only returns messages from the remote address of the connection;"
            " clause I05"),
        "I12 a port was unreachable": ("result=-1 error=10060 bytes=77 data=........", PORT),
        "I12c the same on a connected socket": (
            "result=-1 error=10060 bytes=77 data=........", PORT),
        "B11 another thread closes the socket": (
            "result=-1 error=10022 bytes=77 data=........",
            "RECV: WSA_OPERATION_ABORTED: canceled due to the closure of the socket; clause B11"),
        "N02 WSACancelBlockingCall": (
            "result=0 error=0", "clause N02: Winsock 2.2 does not have it: WSAEOPNOTSUPP"),
    },
    "readiness": {
        "M05 a receive that fails": (
            "result=-1 error=10040 bytes=77 partial=0 data=lo......", COUNT),
        "M03 another has come, none was received": (
            "set=0 events=0 read=77 write=77, then set=0",
            "clause M03: Windows records it again, whatever the page says"),
    },
    "events": {
        "E05 its result": ("done=0 error=10040 bytes=4 flags=0 data=abcd....", NO_FLAGS),
        "E06 its result, its buffer untouched": (
            "done=0 error=995 bytes=0 flags=0 data=........", NO_FLAGS),
        "C05 it was there already": ("result=-1 error=10040 bytes=77 event=1", ONE_ERROR),
        "D17 an event that is none": (
            "error=10038", "clause D17: WSA_INVALID_HANDLE; GOR: that code means that hEvent is no"
            " event, WSAENOTSOCK that the descriptor is no socket"),
        "E08 no record": ("done=0 error=87", FAULT),
        "E08 no place for the count": ("done=1 error=0", FAULT),
        "E08 no place for the flags": ("done=1 error=0", FAULT),
        "H03 an overlapped look": ("result=-1 error=997 bytes=77 event=0", PEEK),
        "H05 overlapped MSG_OOB": ("result=-1 error=997 bytes=77 event=0", OUT_OF_BAND),
        "A11 no buffer": ("result=-1 error=997 bytes=77 event=0", NO_BUFFER),
        "A17 a socket without an address": ("result=-1 error=997 bytes=77 event=0", UNBOUND),
        "P01 a socket without WSA_FLAG_OVERLAPPED": (
            "result=0 error=0 bytes=4 event=1",
            "RECV: WSAEINVAL: the socket is not created with the overlapped flag"),
        "I14 a port was unreachable": ("Internal=0x00000103 InternalHigh=77 event=0", PORT),
        "I14 its result": ("done=0 error=996 bytes=77 flags=77 data=........", PORT),
        "K02u closed while pending": ("Internal=0x8000000a InternalHigh=0 event=1", CLOSED),
    },
    "apc": {
        "C05 one was there already": ("result=-1 error=10040 bytes=77 calls=0", ONE_ERROR),
        "H03 an overlapped look": ("result=-1 error=997 bytes=77 calls=0", PEEK),
        "F11u closed while pending": (
            "wait=192 calls=1 error=10022 bytes=0 flags=0 data=........", CLOSED),
        "I14 a port was unreachable": (
            "wait=0 calls=0 error=77 bytes=77 flags=77 data=........", PORT),
        "E14 nobody may wait for a routine": (
            "done=1 error=0",
            "GOR: fWait may be TRUE only if event-based notification was selected; clause E14"),
    },
}
