# SPDX-License-Identifier: BSD-3-Clause
"""What compare.py is told beforehand. Every row has a reason, and a row that no longer applies is
itself a failure."""

# Measured differences: what -> (here, with mingw-w64, reason). A width that differs would stand
# here as a row "sizeof ..."; there is none.
FAMILY = "ADDRESS_FAMILY, an unsigned short, in the Windows SDK; mingw-w64 10 still has short"
SIGNED_STATUS = "DWORD here, to compare equal to OVERLAPPED.Internal; NTSTATUS in ntstatus.h"
DIFFERENT = {
    "typeof struct sockaddr_in.sin_family": ("ADDRESS_FAMILY", "another type", FAMILY),
    "typeof struct sockaddr_in6.sin6_family": ("ADDRESS_FAMILY", "another type", FAMILY),
    "typeof struct sockaddr_storage.ss_family": ("ADDRESS_FAMILY", "another type", FAMILY),
}

# Constants of which the low 32 bits are compared, by pattern -> reason.
LOW_32_BITS = {
    r"value STATUS_\w+": SIGNED_STATUS,
}

# Names that mingw-w64 10 does not have -> where they are from.
SDK = "ws2def.h of the Windows SDK"
MISSING = {
    "MSG_ERRQUEUE": SDK,
    "SIO_UDP_NETRESET": "mswsock.h of the Windows SDK",
    "SO_BSP_STATE": SDK,
    "SO_COMPARTMENT_ID": SDK,
    "SO_PAUSE_ACCEPT": SDK,
    "SO_PORT_SCALABILITY": SDK,
    "SO_RANDOMIZE_PORT": SDK,
    "SO_REUSE_MULTICASTPORT": SDK,
    "SO_REUSE_UNICASTPORT": SDK,
}

# Macros that have no value to compare -> reason.
NO_VALUE = {
    "FD_CLR": "a statement; tests/abi/test_inlines.c",
    "FD_ISSET": "calls a function; tests/abi/test_inlines.c",
    "FD_SET": "a statement; tests/abi/test_inlines.c",
    "FD_ZERO": "a statement; tests/abi/test_inlines.c",
    "HasOverlappedIoCompleted": "reads memory; tests/abi/test_inlines.c",
    "WSA_CMSG_FIRSTHDR": "reads memory; tests/abi/test_inlines.c",
    "WSA_CMSG_NXTHDR": "reads memory; tests/abi/test_inlines.c",
    "select": "another name for wirerx_select, because libc has a select too",
    "fd_set": "another name for the type, because libc has an fd_set too",
    "u_long": "another name for ULONG, because libc has an u_long too",
}

# Arguments with which a function-like macro is compared.
ADDRESSES = ["0x7f000001", "0xac100001", "0xc0a80001", "0xef010203", "0xf0000001"]
SAMPLES = {
    "HIBYTE": ["0x1234"],
    "HIWORD": ["0x12345678"],
    "IN_CLASSA": ADDRESSES,
    "IN_CLASSB": ADDRESSES,
    "IN_CLASSC": ADDRESSES,
    "IN_CLASSD": ADDRESSES,
    "IN_MULTICAST": ADDRESSES,
    "IP_MSFILTER_SIZE": ["0", "1", "9"],
    "LOBYTE": ["0x1234"],
    "LOWORD": ["0x12345678"],
    "MAKELONG": ["1, 2", "0xffff, 0x8000", "0x12345678, 0x9abcdef0"],
    "MAKEWORD": ["2, 2", "0xff, 0x80", "0x123, 0x456"],
    "NT_SUCCESS": ["0", "0x103", "0xC0000120", "0x80000005"],
    "TYPE_ALIGNMENT": ["char", "GUID", "WSACMSGHDR"],
    "WSA_CMSGDATA_ALIGN": ["1", "8", "13"],
    "WSA_CMSGHDR_ALIGN": ["1", "8", "13"],
    "WSA_CMSG_DATA": ["(LPWSACMSGHDR)0"],
    "WSA_CMSG_LEN": ["0", "1", "13"],
    "WSA_CMSG_SPACE": ["0", "1", "13"],
    "_WSAIO": ["IOC_WS2, 7"],
    "_WSAIOR": ["IOC_WS2, 7"],
    "_WSAIORW": ["IOC_WS2, 7"],
    "_WSAIOW": ["IOC_VENDOR, 7"],
}

# Families of which no constant may be forgotten, and those left out -> reason.
FAMILIES = (r"WSA_?E[A-Z]\w*|WSA_[A-Z]\w*|WSA(BASEERR|SYS|VER|NOT|NO_|TRY|HOST|TYPE|SERVICE)\w*"
            r"|FD_\w+|SD_\w+|MSG_\w+|SO_\w+|SOL_\w+|IP_\w+|IPV6_\w+|MCAST_\w+|IPPROTO_\w+|[AP]F_\w+"
            r"|SOCK_\w+|SIO_\w+|SIOC\w+|FION?\w+|IOC_\w+|WSA_FLAG_\w+|XP1_\w+|PFL_\w+|JL_\w+|CF_\w+"
            r"|SG_\w+|WAIT_\w+|TF_\w+|TP_\w+|INADDR_\w+|SERVICETYPE_\w+|WSAID_\w+")
LEFT_OUT = {
    r"[AP]F_MAX": "depends on the SDK's version",
    r"CF_(?!ACCEPT|REJECT|DEFER)\w+": "the clipboard's",
    r"IPV6_ADDRESS_BITS": "needs macros of the driver kit",
    r"SD_GLOBAL_CHANGE_TYPE_MACHINE_SID": "of security descriptors",
    r"WSAEVENT": "a type here",
    r"WSAID_WSAPOLL": "not in the Windows SDK, and WSAPoll is not served",
}
