/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TYPES_H
#define WIRERX_TYPES_H

/**
 * @file
 * Windows' base types at Windows' widths, on a 64-bit system whose `long` has 64 bits.
 *
 * LONG, ULONG, DWORD and BOOL have 32 bits, as on Windows; what Windows declares `long` is LONG
 * here. Handles and the *_PTR types have the width of a pointer. WCHAR has 16 bits: the type of
 * u"text" in C and in C++ (L"text" has 32 bits here and does not fit).
 *
 * A few names are macros because libc uses them for something else: u_long (below), fd_set and FD_*
 * (wirerx_fd_set.h), and in C select (wirerx_network_events.h). libc's own come with <sys/types.h>
 * and <sys/select.h>, which are therefore included first; later includes find their guards set.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/types.h>

#if UINTPTR_MAX != UINT64_MAX
#error "wirerx: 64-bit systems only: the layouts are those of 64-bit Windows"
#endif

/** Calling conventions and annotations mean nothing here and expand to nothing. */
#define WINAPI
#define APIENTRY
#define NTAPI
#define WSAAPI
#define CALLBACK
#define PASCAL
#define FAR
#define NEAR
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef VOID
#define VOID void
#endif

/**
 * The symbol that a declaration stands for. Berkeley names (`recv`, `bind`, ...) would otherwise
 * replace libc's functions in every program that links this library; `recv` is exported as
 * `wirerx_recv`. A macro would do this too, but would also rename every struct member `bind`.
 * A definition that sees the declaration gets the same symbol.
 */
#define WIRERX_SYMBOL(symbol) __asm__(symbol)

#ifdef __cplusplus
extern "C" {
#endif

typedef char CHAR, *PCHAR, *LPCH;
typedef signed char INT8, *PINT8;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned char UINT8, *PUINT8;
typedef BYTE BOOLEAN, *PBOOLEAN;
typedef short SHORT, *PSHORT;
typedef short INT16, *PINT16;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef unsigned short UINT16, *PUINT16;
typedef int INT, *PINT, *LPINT;
typedef int INT32, *PINT32;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef unsigned int UINT, *PUINT;
typedef unsigned int UINT32, *PUINT32;
typedef int32_t LONG;
typedef LONG *PLONG, *LPLONG;
typedef uint32_t ULONG;
typedef ULONG *PULONG;
typedef uint32_t DWORD;
typedef DWORD *PDWORD, *LPDWORD;
typedef uint32_t ULONG32;
typedef ULONG32 *PULONG32;
typedef uint32_t DWORD32;
typedef DWORD32 *PDWORD32;
typedef long long LONGLONG, *PLONGLONG;
typedef long long LONG64, *PLONG64;
typedef long long INT64, *PINT64;
typedef unsigned long long ULONGLONG, *PULONGLONG;
typedef unsigned long long ULONG64, *PULONG64;
typedef unsigned long long DWORD64, *PDWORD64;
typedef unsigned long long UINT64, *PUINT64;

typedef intptr_t INT_PTR;
typedef INT_PTR *PINT_PTR;
typedef uintptr_t UINT_PTR;
typedef UINT_PTR *PUINT_PTR;
typedef intptr_t LONG_PTR;
typedef LONG_PTR *PLONG_PTR;
typedef uintptr_t ULONG_PTR;
typedef ULONG_PTR *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;

typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;

#ifdef __cplusplus
typedef char16_t WCHAR, *PWCHAR;
#else
typedef __CHAR16_TYPE__ WCHAR, *PWCHAR;
#endif
typedef CHAR *PSTR, *LPSTR;
typedef const CHAR *PCSTR, *LPCSTR;
typedef WCHAR *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR;

typedef void *HANDLE, **PHANDLE, **LPHANDLE;
/** A function of some kind. */
typedef INT_PTR(WINAPI *FARPROC)(VOID);
/** A window: nothing here makes one; the type completes a few signatures. */
typedef struct HWND__ *HWND;

/** The kernel's status of an operation (wirerx_errors.h); negative when it failed. */
typedef LONG NTSTATUS, *PNTSTATUS;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID, *LPGUID;

typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
/** libc's u_long has 64 bits; Windows' has 32 (it is what ioctlsocket() points to). */
#undef u_long
#define u_long ULONG

#ifdef __cplusplus
}
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#define MAXULONG 0xffffffffU
#define MAX_NATURAL_ALIGNMENT sizeof(ULONG_PTR)
#ifdef __cplusplus
#define TYPE_ALIGNMENT(type) alignof(type)
#else
#define TYPE_ALIGNMENT(type) _Alignof(type)
#endif

#define MAKEWORD(low, high) \
    ((WORD)((WORD)(BYTE)((DWORD_PTR)(low)&0xff) | (WORD)((DWORD_PTR)(high)&0xff) << 8))
#define MAKELONG(low, high) \
    ((LONG)((DWORD)(WORD)((DWORD_PTR)(low)&0xffff) | (DWORD)((DWORD_PTR)(high)&0xffff) << 16))
#define LOWORD(value) ((WORD)((DWORD_PTR)(value)&0xffff))
#define HIWORD(value) ((WORD)((DWORD_PTR)(value) >> 16 & 0xffff))
#define LOBYTE(value) ((BYTE)((DWORD_PTR)(value)&0xff))
#define HIBYTE(value) ((BYTE)((DWORD_PTR)(value) >> 8 & 0xff))

#endif
