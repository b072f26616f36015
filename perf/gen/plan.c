/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <stdio.h>
#include <string.h>

#define NS_IN_S 1000000000.0
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

/** feed: one burst in so many is news, and so many times as long. */
#define NEWS_ONE_IN 100u
#define NEWS_TIMES 16u
/** feed: one frame in so many of a burst goes to another group: what moves one moves others. */
#define STRAY_ONE_IN 4u

void plan_begin(struct plan *plan, const struct gen_options *options)
{
    uint64_t sum = 0;

    memset(plan, 0, sizeof *plan);
    plan->options = options;
    for (unsigned i = 0; i < options->sizes_count; i++)
        plan->weights_sum += options->sizes[i].weight;
    for (unsigned i = 0; i < options->streams; i++)
        plan->stream_weights[i] = sum += 1000000 / (i + 4); /* the first are the busiest */
    for (unsigned line = 0; line < options->lines; line++) {
        plan->lines[line].random.state = options->seed;
        plan->lines[line].step = UINT32_MAX; /* the first look takes step 0 */
    }
}

static unsigned choose_stream(const struct plan *plan, struct plan_line *line)
{
    unsigned low = 0, high = plan->options->streams - 1;
    uint64_t dice = random_below(&line->random, (uint32_t)plan->stream_weights[high]);

    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (plan->stream_weights[middle] > dice)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static unsigned choose_payload(const struct plan *plan, struct plan_line *line)
{
    const struct gen_size *sizes = plan->options->sizes;
    unsigned i = 0;

    if (plan->options->sizes_count > 1)
        for (unsigned dice = random_below(&line->random, plan->weights_sum);
             dice >= sizes[i].weight; i++)
            dice -= sizes[i].weight;
    return sizes[i].payload;
}

/* 1 to 2 * mean - 1 frames, now and then very many; the average stays near the mean. */
static unsigned choose_burst(const struct gen_options *options, struct plan_line *line)
{
    unsigned length = 1 + random_below(&line->random, 2 * options->burst - 1);

    return random_below(&line->random, NEWS_ONE_IN) == 0 ? length * NEWS_TIMES : length;
}

static void begin_step(const struct plan *plan, struct plan_line *line, uint64_t now_ns)
{
    const struct gen_options *options = plan->options;
    uint64_t end = line->step_start_ns + options->duration_ms * NS_PER_MS;

    if (line->step == UINT32_MAX) {
        line->step = 0;
        end = 0;
    } else {
        double rate = options->rates[line->step];

        if (options->duration_ms == 0) /* the count has ended it: where the next one would be */
            end = rate == 0 ? now_ns
                            : line->step_start_ns +
                                  (uint64_t)((double)line->made_in_step * NS_IN_S / rate);
        line->step++;
    }
    line->step_start_ns = end;
    line->made_in_step = 0;
    line->burst_left = 0;
}

/* When the next frame of the step is due. */
static uint64_t due(const struct plan *plan, struct plan_line *line, uint64_t now_ns)
{
    const struct gen_options *options = plan->options;
    double rate = options->rates[line->step];

    switch (options->pattern) {
    case GEN_BURST:
        return line->step_start_ns +
               line->made_in_step / options->burst * options->every_us * NS_PER_US;
    case GEN_FEED:
        if (line->burst_left == 0) {
            double gap = NS_IN_S / rate;
            uint32_t unforeseen =
                (uint32_t)(gap * options->burst < 4e9 ? gap * options->burst : 4e9);
            uint64_t at = line->step_start_ns + (uint64_t)((double)line->made_in_step * gap);

            at += random_below(&line->random, unforeseen + 1) / 2;
            line->burst_ns = at > line->burst_ns ? at : line->burst_ns;
            line->burst_left = choose_burst(options, line);
            line->stream = choose_stream(plan, line);
        }
        return line->burst_ns;
    case GEN_RATE:
    default:
        if (rate == 0)
            return now_ns > line->step_start_ns ? now_ns : line->step_start_ns;
        return line->step_start_ns + (uint64_t)((double)line->made_in_step * NS_IN_S / rate);
    }
}

static unsigned next_stream(const struct plan *plan, struct plan_line *line)
{
    const struct gen_options *options = plan->options;
    unsigned stream = line->stream;

    if (options->pattern == GEN_FEED) {
        line->burst_left--;
        return random_below(&line->random, STRAY_ONE_IN) == 0 ? choose_stream(plan, line) : stream;
    }
    line->stream = stream + 1 == options->streams ? 0 : stream + 1;
    return stream;
}

/* Make line->next. Sets line->ended when there is none. */
static void advance(struct plan *plan, unsigned index, uint64_t now_ns)
{
    const struct gen_options *options = plan->options;
    struct plan_line *line = &plan->lines[index];
    struct plan_frame *next = &line->next;

    for (;;) {
        if (line->step == UINT32_MAX)
            begin_step(plan, line, now_ns);
        bool counted = options->count == 0 || line->made_in_step < options->count;
        if (counted) {
            next->due_ns = due(plan, line, now_ns);
            if (options->duration_ms == 0 ||
                next->due_ns - line->step_start_ns < options->duration_ms * NS_PER_MS)
                break;
        }
        if (line->step + 1 == options->steps) {
            line->ended = true;
            return;
        }
        begin_step(plan, line, now_ns);
    }
    next->step = line->step;
    next->line = index;
    next->stream = next_stream(plan, line);
    next->sequence = line->next_sequence[next->stream]++;
    next->payload = choose_payload(plan, line);
    line->made_in_step++;
    next->due_ns += NS_PER_US * index * options->skew_us;
}

bool plan_next(struct plan *plan, uint64_t now_ns, struct plan_frame *frame)
{
    struct plan_line *first = NULL;

    for (unsigned i = 0; i < plan->options->lines; i++) {
        struct plan_line *line = &plan->lines[i];

        if (!line->ended && line->next.payload == 0)
            advance(plan, i, now_ns);
        if (!line->ended && (first == NULL || line->next.due_ns < first->next.due_ns))
            first = line;
    }
    if (first == NULL)
        return false;
    *frame = first->next;
    first->next.payload = 0; /* taken */
    return true;
}

void plan_print(const struct gen_options *options)
{
    static struct plan plan;
    struct plan_frame frame;

    plan_begin(&plan, options);
    puts("# due_ns line stream sequence payload step");
    while (plan_next(&plan, 0, &frame))
        printf("%llu %c %u %llu %u %u\n", (unsigned long long)frame.due_ns, 'A' + (int)frame.line,
               frame.stream, (unsigned long long)frame.sequence, frame.payload, frame.step);
}
