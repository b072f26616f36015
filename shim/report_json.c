/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>

#include "report.h"

/** Paths may hold any bytes; JSON holds only UTF-8. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value);

    return string != NULL ? string : json_string("(not UTF-8)");
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *pace(const struct recv_options *options)
{
    if (options->replay == NULL)
        return json_string("live");
    if (options->pace == RECV_RATE)
        return json_real(options->frames_per_second);
    return json_string(options->pace == RECV_DRAINED ? "drained" : "recorded");
}

/** The counters that are named so, all of them. */
static json_t *fates(const struct run *run, const char *(*name_of)(const struct wirerx_counter *))
{
    json_t *object = json_object();

    for (size_t i = 0; i < run->counter_count; i++) {
        const char *name = name_of(&run->counters[i]);
        if (name != NULL)
            json_object_set_new(object, name, number(run->counters[i].value));
    }
    return object;
}

static json_t *sockets(const struct run *run)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < run->sockets.count; i++) {
        const struct recv_socket *row = &run->sockets.rows[i];
        json_t *object = json_object(), *joins = json_array();
        for (unsigned j = 0; j < row->join_count; j++)
            json_array_append_new(joins, json_string(row->joins[j].name));
        json_object_set_new(object, "joins", joins);
        json_object_set_new(object, "read", json_boolean(!row->stall));
        json_object_set_new(object, "delivered", number(row->counters.delivered));
        json_object_set_new(object, "received", number(row->counters.received));
        json_object_set_new(object, "unread", number(recv_socket_unread(row)));
        json_object_set_new(object, "drop_ring_full", number(row->counters.drop_ring_full));
        json_object_set_new(object, "drop_pool_share", number(row->counters.drop_pool_share));
        json_object_set_new(object, "reserved_bytes", number(row->counters.reserved_bytes));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *latency(const struct run *run)
{
    static const struct {
        const char *name;
        double quantile;
    } rows[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}, {"max", 1}};
    json_t *object;

    if (run->latency_reason[0] != '\0')
        return json_null();
    object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        json_object_set_new(object, rows[i].name,
                            number((uint64_t)(run_latency_ns(run, rows[i].quantile) + 0.5)));
    json_object_set_new(object, "samples", number(run->latency.samples));
    return object;
}

/* By who says when: how many, and how far one of them may be off at most. */
static json_t *times(const struct times *times)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < TIMES_SOURCES; i++)
        json_object_set_new(object, times_source_names[i],
                            json_pack("{s:I, s:I}", "datagrams", (json_int_t)times->by_source[i],
                                      "error_ns", (json_int_t)times->most_error_ns[i]));
    return object;
}

static void print(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

void report_json(const struct run *run)
{
    const struct recv_options *options = run->options;
    json_t *object = json_object();

    json_object_set_new(object, "source",
                        text(options->replay != NULL ? options->replay : options->config));
    json_object_set_new(object, "pace", pace(options));
    json_object_set_new(object, "mode", json_string(options->mode->name));
    json_object_set_new(object, "end", json_string(run_end_name(run->end)));
    json_object_set_new(object, "error",
                        run->end == END_FAILED ? text(run->failure.text) : json_null());
    json_object_set_new(object, "stalled_on",
                        run->end == END_STALLED ? text(run->stalled_on) : json_null());
    json_object_set_new(object, "datagrams", number(run->datagrams));
    json_object_set_new(object, "bytes", number(run->bytes));
    json_object_set_new(object, "seconds", json_real(run->seconds));
    json_object_set_new(object, "rate", json_real(run_rate(run)));
    json_object_set_new(object, "rate_note",
                        run->memory_fed ? json_string("software ceiling, no device") : json_null());
    json_object_set_new(object, "latency_ns", latency(run));
    json_object_set_new(object, "latency_reason",
                        run->latency_reason[0] != '\0' ? json_string(run->latency_reason)
                                                       : json_null());
    json_object_set_new(object, "generated",
                        options->generated
                            ? json_pack("{s:I, s:I, s:I}", "missing", (json_int_t)run->missing,
                                        "late", (json_int_t)run->late, "strangers",
                                        (json_int_t)run->strangers)
                            : json_null());
    json_object_set_new(object, "times", options->times != NULL ? times(&run->times) : json_null());
    json_object_set_new(object, "frames", number(run_counter(run, "frames")));
    json_object_set_new(object, "delivered", number(run_counter(run, "delivered")));
    json_object_set_new(object, "dropped", number(run_dropped(run)));
    json_object_set_new(object, "drops", fates(run, run_drop_reason));
    json_object_set_new(object, "kept", fates(run, run_kept_by));
    json_object_set_new(object, "device_lost", number(run_device_lost(run)));
    json_object_set_new(object, "reassembled", number(run_counter(run, "reassembled")));
    json_object_set_new(object, "looped", number(run_counter(run, "looped")));
    json_object_set_new(object, "handed_in", number(run_counter(run, "handed_in")));
    json_object_set_new(object, "after_end", number(run->after_end));
    json_object_set_new(object, "unread", number(run->unread));
    json_object_set_new(object, "sockets", sockets(run));
    json_object_set_new(object, "hint",
                        run_wants_checksum_hint(run) ? json_string("--checksums ignore")
                                                     : json_null());
    print(object);
}

void report_groups_json(const char *path, const struct capture *capture)
{
    json_t *object = json_object(), *groups = json_array();

    for (size_t i = 0; i < capture->group_count; i++) {
        const struct capture_group *row = &capture->groups[i];
        char address[REPORT_ADDRESS_SIZE];
        json_t *group = json_object();
        json_object_set_new(group, "group", json_string(report_address(address, row->group)));
        json_object_set_new(group, "port", number(row->port));
        json_object_set_new(group, "datagrams", number(row->datagrams));
        json_object_set_new(group, "bytes", number(row->bytes));
        json_object_set_new(group, "bad_checksums", number(row->bad_checksums));
        json_array_append_new(groups, group);
    }
    json_object_set_new(object, "source", text(path));
    json_object_set_new(object, "frames", number(capture->frames));
    json_object_set_new(object, "cut_short", json_boolean(capture->cut_short));
    json_object_set_new(object, "seconds", json_real(capture->seconds));
    json_object_set_new(object, "unicast", number(capture->unicast));
    json_object_set_new(object, "fragments", number(capture->fragments));
    json_object_set_new(object, "other", number(capture->other));
    json_object_set_new(object, "groups", groups);
    print(object);
}
