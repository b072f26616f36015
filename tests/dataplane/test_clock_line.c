/* SPDX-License-Identifier: BSD-3-Clause */

/* Counters and the wall clock, in virtual time: nothing here reads a clock. */

#include "support/suite.h"

#include <math.h>
#include <stdlib.h>

#include "clock_line.h"

#define START_NS INT64_C(1700000000000000000)
#define MS 1000000
#define SECOND INT64_C(1000000000)

/* A counter that began at some count, and a wall clock that can drift and be set. Real time, in
 * nanoseconds, is neither of them. */
static struct {
    double real_ns;
    double counter, counter_hz;
    double wall_ns, wall_rate; /* beside START_NS */
} world;

static void begin(double counter, double hz)
{
    world.real_ns = world.wall_ns = 0;
    world.counter = counter;
    world.counter_hz = hz;
    world.wall_rate = 1;
}

static void pass(double ns)
{
    world.real_ns += ns;
    world.counter += ns * 1e-9 * world.counter_hz;
    world.wall_ns += ns * world.wall_rate;
}

/* As if between two reads of the wall clock `bracket` apart, at a point of it that nobody knows. */
static enum clock_news look(struct clock_line *line, int64_t bracket, double point)
{
    struct clock_look at = {
        .ticks = (uint64_t)world.counter,
        .wall_ns = START_NS + (int64_t)world.wall_ns + (int64_t)((0.5 - point) * (double)bracket),
        .error_ns = (uint64_t)bracket / 2 + 1,
    };

    return clock_line_add(line, &at);
}

/* How far off is what it says of now? It must be within its own bound, and that within `most`. */
static void check_told(const struct clock_line *line, double most)
{
    uint64_t error = 0;
    int64_t told = 0;

    CHECK(clock_line_tell(line, (uint64_t)world.counter, &told, &error));
    double off = fabs((double)(told - START_NS) - world.wall_ns);
    CHECK_MSG(off <= (double)error + 1, "off by %.0f ns, of at most %llu", off,
              (unsigned long long)error);
    CHECK_MSG((double)error <= most, "a bound of %llu ns, and %.0f is enough",
              (unsigned long long)error, most);
}

SUITE_TEST(clock_line, tells_nothing_before_it_knows_a_rate)
{
    struct clock_line line = {0};
    uint64_t error;
    int64_t told;

    begin(5000, 1e9);
    CHECK(!clock_line_tell(&line, 5000, &told, &error));
    CHECK_EQ_I64(look(&line, 100, 0.5), CLOCK_FIRST);
    CHECK(!clock_line_tell(&line, 5000, &told, &error));
    pass(CLOCK_LINE_LEAST_SPAN - 1000); /* too near to tell a rate by */
    CHECK_EQ_I64(look(&line, 100, 0.5), CLOCK_TAKEN);
    CHECK(!clock_line_tell(&line, 5000, &told, &error));
    pass(1000);
    CHECK_EQ_I64(look(&line, 100, 0.5), CLOCK_TAKEN);
    check_told(&line, 200);
    clock_line_reset(&line);
    CHECK(!clock_line_tell(&line, 5000, &told, &error));
}

/* Whatever a tick is: the rates of time-stamp counters, of NICs' clocks, of clocks in nanoseconds. */
SUITE_TEST(clock_line, finds_any_rate_and_holds_its_bound)
{
    static const double rates[] = {2.9e9, 1e9, 1.0002e9, 156.25e6, 25e6, 1e6};

    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct clock_line line = {0};
        unsigned seed = i;

        begin(1e12, rates[i]);
        look(&line, 1000, 0.5);
        pass(6 * MS);
        look(&line, 1000, 0.5);
        for (unsigned n = 0; n < 400; n++) {
            pass(50.0 * MS * rand_r(&seed) / RAND_MAX);
            double tick_ns = 1e9 / rates[i];
            check_told(&line, 502 + tick_ns + 50.0 * MS * (CLOCK_LINE_SLEW + 0.001));
            look(&line, rand_r(&seed) % 1000, (double)rand_r(&seed) / RAND_MAX);
        }
        pass(50.0 * MS); /* and by now the rate is well known */
        check_told(&line, 501 + 1e9 / rates[i] + 50.0 * MS * (CLOCK_LINE_SLEW + 2e-5));
    }
}

SUITE_TEST(clock_line, holds_its_bound_while_the_wall_clock_is_slewed)
{
    struct clock_line line = {0};

    begin(0, 2.5e9);
    look(&line, 60, 0.5);
    for (unsigned n = 0; n < 500; n++) {
        world.wall_rate = n / 40 % 2 == 0 ? 1 + 499e-6 : 1 - 499e-6; /* back and forth */
        for (unsigned part = 0; part < 10; part++) {
            pass(5.0 * MS);
            if (n > 0)
                check_told(&line, 60 + 50.0 * MS * (CLOCK_LINE_SLEW + 2e-5));
        }
        CHECK(look(&line, 60, 0.3) != CLOCK_STEPPED);
    }
}

SUITE_TEST(clock_line, follows_a_wall_clock_that_is_set)
{
    static const double steps[] = {3600e9, -3600e9, 1e6, -1e6};

    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct clock_line line = {0};

        begin(1e9, 1e9);
        for (unsigned n = 0; n < 50; n++, pass(50.0 * MS))
            CHECK(look(&line, 60, 0.5) != CLOCK_STEPPED);
        world.wall_ns += steps[i];
        CHECK_EQ_I64(look(&line, 60, 0.5), CLOCK_STEPPED);
        check_told(&line, 40);
        pass(50.0 * MS);
        check_told(&line, 60 + 50.0 * MS * (CLOCK_LINE_SLEW + 1e-5)); /* the rate is the old one */
        for (unsigned n = 0; n < 50; n++, pass(50.0 * MS))
            CHECK(look(&line, 60, 0.5) != CLOCK_STEPPED);
        check_told(&line, 60 + 50.0 * MS * (CLOCK_LINE_SLEW + 1e-5));
    }
}

SUITE_TEST(clock_line, begins_anew_when_the_counter_goes_back)
{
    struct clock_line line = {0};
    uint64_t error;
    int64_t told;

    begin(1e15, 1e9);
    look(&line, 60, 0.5);
    pass(6 * MS);
    look(&line, 60, 0.5);
    check_told(&line, 100);
    world.counter = 12; /* the device was reset */
    CHECK_EQ_I64(look(&line, 60, 0.5), CLOCK_FIRST);
    CHECK(!clock_line_tell(&line, 12, &told, &error));
    pass(6 * MS);
    look(&line, 60, 0.5);
    check_told(&line, 100);
}

SUITE_TEST(clock_line, leaves_out_a_look_that_was_interrupted_but_not_for_ever)
{
    struct clock_line line = {0};
    unsigned left_out = 0;

    begin(0, 3e9);
    look(&line, 60, 0.5);
    pass(6 * MS);
    look(&line, 60, 0.5);
    pass(1 * MS);
    CHECK_EQ_I64(look(&line, 20 * MS, 1), CLOCK_NO_NEWS); /* off the processor in between */
    check_told(&line, 60 + 1.0 * MS * (CLOCK_LINE_SLEW + 1e-4));
    while (look(&line, 2 * MS, 0.5) == CLOCK_NO_NEWS) {
        left_out++;
        pass(50.0 * MS);
    }
    CHECK_GE_U64(left_out, 10);
    CHECK_LE_U64(left_out, 30); /* a second of it is off by a millisecond, as they are */
    check_told(&line, 1.01 * MS);
}

SUITE_TEST(clock_line, says_how_little_it_knows_of_times_long_ago)
{
    struct clock_line line = {0};
    uint64_t error = 0;
    int64_t told = 0;

    begin(1e15, 1e9);
    look(&line, 60, 0.5);
    pass(6 * MS);
    look(&line, 60, 0.5);
    uint64_t hour_ago = (uint64_t)(world.counter - 3600e9);
    CHECK(clock_line_tell(&line, hour_ago, &told, &error));
    CHECK_GE_U64(error, (uint64_t)(3600e9 * CLOCK_LINE_SLEW));
    CHECK_LE_U64((uint64_t)llabs(told - START_NS + 3600 * SECOND), error);
}

/* What a broken device might give. */
SUITE_TEST(clock_line, tells_nothing_that_is_out_of_range)
{
    struct clock_line line = {0};
    uint64_t error;
    int64_t told;

    begin(0, 1e6); /* a microsecond a tick: 2^62 of them are out of range */
    look(&line, 60, 0.5);
    pass(6 * MS);
    look(&line, 60, 0.5);
    CHECK(!clock_line_tell(&line, UINT64_C(1) << 62, &told, &error));
    CHECK(!clock_line_tell(&line, UINT64_C(1) << 63, &told, &error));
    CHECK(!clock_line_tell(&line, UINT64_C(3) << 62, &told, &error));
    CHECK(clock_line_tell(&line, UINT64_MAX, &told, &error)); /* just before 0 */
}
