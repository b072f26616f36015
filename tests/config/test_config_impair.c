/* SPDX-License-Identifier: BSD-3-Clause */

/* ports[].impair: what is read, and what is refused in which words. */

#include "support/suite.h"

#include <stdio.h>
#include <string.h>

#include "config_test.h"
#include "support/wire.h"

static int parse(const char *list, struct config *config, struct config_error *error)
{
    char yaml[512];
    int length = snprintf(yaml, sizeof yaml,
                          "cores: [%u]\nports: [{device: vdev:net_null0, impair: [%s]}]\n",
                          wire_cpu(0), list);

    return config_parse("t.yaml", yaml, (size_t)length, config, error);
}

SUITE_TEST(config_impair, reads_shares_to_a_millionth_and_copies_them)
{
    struct config_error error;
    struct config config, copy;

    CHECK_MSG(parse("seed 4294967295, loss 0.0001%, missed 100%, duplicate 12.5%, corrupt 1%, "
                    "reorder 0.25%, link-down-after 1, link-up-after 2, remove-after 3, "
                    "refuse-multicast, refuse-all-multicast, no-time 2%, wrong-time 3%, "
                    "transmit-loss 4%, transmit-duplicate 5%, transmit-corrupt 6%, delay 60000000, "
                    "jitter 1, link-repeat-every 3",
                    &config, &error) == 0,
              "%s", error.text);
    CHECK(config_copy(&copy, &config) == 0);
    config_free(&config);
    const struct config_impair *impair = copy.ports[0].impair;
    CHECK_EQ_U64(impair->seed, UINT32_MAX);
    CHECK_EQ_U64(impair->loss, 1);
    CHECK_EQ_U64(impair->missed, CONFIG_IMPAIR_WHOLE);
    CHECK_EQ_U64(impair->duplicate, 125000);
    CHECK_EQ_U64(impair->corrupt, 10000);
    CHECK_EQ_U64(impair->reorder, 2500);
    CHECK(impair->link_down_after == 1 && impair->link_up_after == 2 && impair->remove_after == 3);
    CHECK(impair->refuse_multicast == 1 && impair->refuse_all_multicast == 1);
    CHECK(impair->no_time == 20000 && impair->wrong_time == 30000);
    CHECK(impair->transmit_loss == 40000 && impair->transmit_duplicate == 50000 &&
          impair->transmit_corrupt == 60000);
    CHECK(impair->delay == 60000000 && impair->jitter == 1 && impair->link_repeat_every == 3);
    config_free(&copy);
    CHECK(parse("", &config, &error) == 0 && config.ports[0].impair == NULL);
    config_free(&config);
}

SUITE_TEST(config_impair, refuses_what_is_none_with_the_reason)
{
    static const struct {
        const char *list, *reason;
    } cases[] = {
        {"los 1%", "[0]: 'los 1%' is no impairment; here are known: seed, loss, missed, duplicate, "
                   "corrupt, reorder, no-time, wrong-time, transmit-loss, transmit-duplicate, "
                   "transmit-corrupt, delay, jitter, link-down-after, link-up-after, "
                   "link-repeat-every, remove-after, "
                   "refuse-multicast, refuse-all-multicast"},
        {"loss 1", "[0]: 'loss 1': loss is followed by a share of the frames, 0.0001% to 100%"},
        {"loss 0%", "[0]: 'loss 0%': loss is followed by a share of the frames, 0.0001% to 100%"},
        {"loss 100.1%",
         "[0]: 'loss 100.1%': loss is followed by a share of the frames, 0.0001% to 100%"},
        {"loss 1.00001%",
         "[0]: 'loss 1.00001%': loss is followed by a share of the frames, 0.0001% to 100%"},
        {"seed 0", "[0]: 'seed 0': seed is followed by a number of 1 to 4294967295"},
        {"seed 4294967296",
         "[0]: 'seed 4294967296': seed is followed by a number of 1 to 4294967295"},
        {"remove-after -1",
         "[0]: 'remove-after -1': remove-after is followed by milliseconds, 1 to 4294967295"},
        {"refuse-multicast 1", "[0]: 'refuse-multicast 1': refuse-multicast stands alone"},
        {"loss 1%, loss 1%", "[1]: loss is given twice"},
        {"delay 60000001",
         "[0]: 'delay 60000001': delay is followed by microseconds, 1 to 60000000"},
        {"link-down-after 5, link-repeat-every 9", ": link-repeat-every without link-up-after"},
        {"link-down-after 5, link-up-after 6, link-repeat-every 6",
         ": link-repeat-every 6 is not after link-up-after 6"},
        {"link-up-after 5", ": link-up-after without link-down-after"},
        {"link-down-after 5, link-up-after 5", ": link-up-after 5 is not after link-down-after 5"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[512];
        struct config_error error;
        struct config config;

        snprintf(wanted, sizeof wanted, "t.yaml:2: ports[0].impair%s", cases[i].reason);
        CHECK(parse(cases[i].list, &config, &error) != 0);
        CHECK_EQ_STR(error.text, wanted);
    }
}
