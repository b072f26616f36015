/* SPDX-License-Identifier: BSD-3-Clause */
#include "../host/event_descriptor.h"
#include "api.h"
#include "wirerx/wirerx.h"

int wirerx_event_descriptor(WSAEVENT event)
{
    int descriptor;
    int error = event_descriptor(event, &descriptor);

    return api_result(error == 0 ? descriptor : SOCKET_ERROR, error);
}
