/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A socket's store becomes larger and small again: rules G1 to G3 of socket_store.h; and its buffers come
 * home: rules H1 to H3 of way_home.h.
 *
 *   model          code
 *   switch_to      switch_to() in grow.c
 *   grow           lcore_grow()
 *   leave          leave_all_but()
 *   tidy           lcore_tidy_stores()
 *   look_home      way_home_look()
 *   look           endpoint_look_at_tail(), with endpoint_move()
 *   lend           endpoint_lend_many()
 *   take_back      endpoint_returns_add(), endpoint_returns_end()
 *   stranger       another socket, which is lent whatever store the lcore has given back
 *
 * The socket's own store has one slot, those that are lent two and four. An lcore puts DATAGRAMS in, in
 * passes of any size; a consumer takes them, one or two at a time, consumes or lends them, and may look at
 * the ring's end while it has an element in its hand. Memory is sequentially consistent here: what the rules
 * ask of the order of two accesses is taken away by exchanging them.
 *
 * GROWING. What is checked: every datagram is read once and in its order, whichever store it is read in;
 * nobody else has a store that is read; no buffer is in the pool while it is read or lent; every buffer comes
 * home once; nothing waits for ever.
 */

#ifndef DATAGRAMS
#define DATAGRAMS 4
#endif
#ifndef LOANS
#define LOANS 1 /* as many are lent, ever */
#endif

#define STORES 3
#define OWN 0
#define FOREIGN 77 /* what strangers write */
#define ALL ((1 << DATAGRAMS) - 1)
#define SLOTS(s) (1 << (s))
#define PLACE(s, at) ring[(s)*4 + (at) % SLOTS(s)]
#define BIT(value) (1 << ((value)-1))

/* Shared. */
byte ring[12];
byte tail, head;
byte store = OWN;
byte lent;
byte twice;     /* buffers with two references, a bit for each; all that are not in the pool have one */
byte came_back; /* a bit for each buffer */
bool locked;

/* The pool. */
byte returned;

/* The lcore's. */
byte staged, cached_head, current = OWN;
bool mine[STORES];  /* lent to us, now or until it is left */
bool left[STORES];  /* by the lcore, and perhaps not by the consumer */
bool taken[STORES]; /* by a stranger */

/* The consumer's; under LOCK. */
byte from = OWN, cached_tail, out, loans;

inline switch_to(to)
{
#ifdef PUBLISHES_BEFORE_COPY
    store = to;
#endif
#ifndef PUBLISHES_BEFORE_COPY
    atomic { /* nobody else looks there yet */
#endif
    at = cached_head;
    do
    :: at != staged -> PLACE(to, at) = PLACE(current, at); at++
    :: else -> break
    od;
    at = 0;
#ifndef PUBLISHES_BEFORE_COPY
    };
#endif
#if !defined(PUBLISHES_BEFORE_COPY) && !defined(TAIL_BEFORE_STORE)
    store = to;
#endif
    left[current] = (current != OWN);
    current = to
}

inline put(bits)
{
    assert((returned & (bits)) == 0);
    returned = returned | (bits)
}

/* Whoever drops the last reference has it. */
inline drop(bits, last)
{
    atomic {
        last = ((twice & (bits)) == 0);
        twice = twice & ~(bits)
    }
}

inline look_home()
{
#ifdef LENT_BEFORE_HEAD
    seen_lent = lent;
    seen_head = head;
#else
    seen_head = head;
    seen_lent = lent;
#endif
#ifdef NEVER_LENT
    seen_lent = 0;
#endif
    do
    :: cached_head != seen_head ->
        atomic { buffer = BIT(PLACE(current, cached_head)); cached_head++ };
        if
        :: seen_lent == 0 ->
            atomic {
                assert((twice & buffer) == 0);
                put(buffer)
            }
        :: else ->
            drop(buffer, last);
            if
            :: last -> atomic { put(buffer) }
            :: else
            fi
        fi
    :: else -> break
    od;
    atomic {
        put(came_back);
        came_back = 0
    };
    buffer = 0;
    seen_head = 0;
    seen_lent = 0;
    last = false
}

inline leave()
{
#ifndef LEAVES_WITHOUT_MOVING
    from = current;
#endif
    atomic {
        if
        :: left[1] -> left[1] = false; mine[1] = false
        :: else
        fi;
        if
        :: left[2] -> left[2] = false; mine[2] = false
        :: else
        fi
    }
}

active proctype lcore()
{
    byte at, larger, seen_head, seen_lent, buffer;
    bool last;

    do
    :: staged < DATAGRAMS && staged - cached_head < SLOTS(current) ->
        atomic { /* the tail is not behind it yet */
            PLACE(current, staged) = staged + 1;
            staged++
        }
    :: head != cached_head || came_back != 0 -> look_home()
    :: atomic {
            staged < DATAGRAMS && staged - cached_head == SLOTS(current) && current < STORES - 1 &&
            !mine[current + 1] && !taken[current + 1] ->
            larger = current + 1;
            mine[larger] = true
        };
        switch_to(larger)
    :: tail != staged ->
        tail = staged
#ifdef TAIL_BEFORE_STORE
        ; store = current
#endif
    :: current != OWN && (left[1] || left[2] || staged - head <= SLOTS(OWN)) -> /* tidy */
#ifndef TIDIES_UNLOCKED
        if
        :: atomic { !locked -> locked = true }
        :: else -> goto busy
        fi;
#endif
        if
        :: staged - head <= SLOTS(OWN) ->
            look_home();
            switch_to(OWN)
        :: else
        fi;
        leave();
#ifndef TIDIES_UNLOCKED
        locked = false;
#endif
    busy:
        skip
    :: returned == ALL -> break
    od
}

inline look()
{
#ifdef STORE_BEFORE_TAIL
    to = store;
    cached_tail = tail;
#else
    cached_tail = tail;
    to = store;
#endif
    from = to
}

inline lend()
{
    loans++;
    out = out | BIT(value);
    twice = twice | BIT(value);
#ifdef LENDS_AFTER_HEAD
    head++;
    lent++
#else
    lent++;
    head++
#endif
}

inline take_back()
{
#ifdef COUNTS_BEFORE_IT_DROPS
    lent--;
#endif
    assert((returned & buffer) == 0);
    drop(buffer, last);
    atomic {
        if
        :: last -> assert((came_back & buffer) == 0); came_back = came_back | buffer
        :: else
        fi;
        out = out & ~buffer
    };
#ifndef COUNTS_BEFORE_IT_DROPS
    lent--
#endif
}

active proctype consumer()
{
    byte to, in, value, buffer;
    bool last;

    do
    :: head != tail ->
        atomic { !locked -> locked = true };
        if
        :: head == cached_tail -> look()
        :: else
        fi;
        if
        :: head != cached_tail ->
            in = from;
            if
            :: look() /* for the one behind, with this one in its hand */
            :: skip
            fi;
            value = head + 1;
#ifdef HEAD_BEFORE_READ
            head++;
#endif
            assert(PLACE(in, value - 1) == value);
            assert(!taken[in]);
            assert((returned & BIT(value)) == 0);
#ifndef HEAD_BEFORE_READ
            if
            :: head++
            :: loans < LOANS -> lend()
            fi
#endif
        :: else
        fi;
        locked = false;
        atomic { to = 0; in = 0; value = 0 }
    :: out != 0 ->
        atomic { !locked -> locked = true };
        buffer = out & -out; /* the lowest */
        if
        :: skip
        :: (out & ~buffer) != 0 -> buffer = out & ~buffer; buffer = buffer & -buffer
        fi;
        take_back();
        locked = false;
        atomic { buffer = 0; last = false }
    :: head == DATAGRAMS && out == 0 && returned == ALL -> break
    od
}

active proctype stranger()
{
    byte which;

    do
    :: atomic {
            returned != ALL && (!mine[1] || !mine[2]) ->
            if
            :: !mine[1] -> which = 1
            :: !mine[2] -> which = 2
            fi;
            taken[which] = true
        };
        atomic {
            PLACE(which, 0) = FOREIGN;
            PLACE(which, 1) = FOREIGN;
            taken[which] = false;
            which = 0
        }
    :: returned == ALL -> break
    od
}
