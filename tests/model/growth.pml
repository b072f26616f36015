/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A socket's store becomes larger and small again: rules G1 to G4 of socket_store.h.
 *
 *   model          code
 *   switch_to      switch_to() in grow.c
 *   grow, settle   lcore_grow(), lcore_settle()
 *   shrink         lcore_shrink_if_quiet(), lcore_shrink()
 *   look           endpoint_look_at_tail(), with endpoint_move()
 *   send_home      endpoint_flush_returns()
 *   stranger       another socket, which is lent whatever the lcore has given back
 *
 * The socket's own store has one slot, those that are lent two and four. An lcore puts DATAGRAMS in, in
 * passes of any size; a consumer takes them, one or two at a time, sends their buffers home when it likes,
 * and may look at the ring's end while it has an element in its hand. Memory is sequentially consistent
 * here: what G1 to G4 ask of the order of two accesses is taken away by exchanging them.
 *
 * GROWING. What is checked: every datagram is read once and in its order, whichever store it is read in;
 * nobody else has a store that is read; every buffer comes home once, and none is left in a store that is
 * given back; nothing waits for ever.
 */

#ifndef DATAGRAMS
#define DATAGRAMS 4
#endif

#define STORES 3
#define OWN 0
#define NONE 99
#define FOREIGN 77 /* what strangers write */
#define ALL ((1 << DATAGRAMS) - 1)
#define SLOTS(s) (1 << (s))
#define PLACE(s, at) ring[(s)*4 + (at) % SLOTS(s)]

/* Shared. */
byte ring[12];
byte home[STORES]; /* ways home: a bit for each buffer */
byte tail, head;
byte store = OWN, moved_to = OWN;
bool locked;

/* The lcore's. */
byte staged, cached_head;
bool lent[STORES];  /* to us, now or until it is settled */
bool left[STORES];  /* by the lcore, and perhaps not by the consumer */
bool taken[STORES]; /* by a stranger */
bool unsettled;
byte returned;

/* The consumer's; under LOCK. */
byte from = OWN, cached_tail, returning;

inline switch_to(to)
{
#ifdef PUBLISHES_BEFORE_COPY
    store = to;
#endif
    at = cached_head;
    do
    :: at != staged -> PLACE(to, at) = PLACE(current, at); at++
    :: else -> break
    od;
#if !defined(PUBLISHES_BEFORE_COPY) && !defined(TAIL_BEFORE_STORE)
    store = to;
#endif
    left[current] = (current != OWN);
    current = to
}

inline take_home(s)
{
    atomic {
        assert((returned & home[s]) == 0);
        returned = returned | home[s];
        home[s] = 0
    }
}

inline give_back(s)
{
    atomic {
        if
        :: left[s] ->
            assert(home[s] == 0);
            left[s] = false;
            lent[s] = false
        :: else
        fi
    }
}

inline settle()
{
#ifdef LOOKS_BEFORE_IT_IS_TOLD
    take_home(0);
    take_home(1);
    take_home(2);
    told = (moved_to == current);
#else
#ifdef NEVER_ASKS
    told = true;
#else
    told = (moved_to == current);
#endif
    take_home(0);
    take_home(1);
    take_home(2);
#endif
    if
    :: told ->
        unsettled = false;
        give_back(1);
        give_back(2)
    :: else
    fi
}

active proctype lcore()
{
    byte current = OWN, at, larger;
    bool told;

    do
    :: staged < DATAGRAMS && staged - cached_head < SLOTS(current) ->
        PLACE(current, staged) = staged + 1;
        staged++
    :: staged < DATAGRAMS && staged - cached_head == SLOTS(current) && head != cached_head ->
        cached_head = head
    :: atomic {
            staged < DATAGRAMS && staged - cached_head == SLOTS(current) && current < STORES - 1 &&
            !lent[current + 1] && !taken[current + 1] ->
            larger = current + 1;
            lent[larger] = true
        };
        switch_to(larger);
        unsettled = true
    :: tail != staged ->
        tail = staged
#ifdef TAIL_BEFORE_STORE
        ; store = current
#endif
    :: unsettled && (moved_to == current || home[0] + home[1] + home[2] != 0) -> settle()
    :: !unsettled && home[current] != 0 -> take_home(current)
    :: current != OWN && staged - head <= SLOTS(OWN) ->
#ifdef SHRINKS_UNLOCKED
        skip;
#else
        if
        :: atomic { !locked -> locked = true }
        :: else -> goto busy
        fi;
#endif
        cached_head = head;
        if
        :: current != OWN && staged - cached_head <= SLOTS(OWN) ->
            switch_to(OWN);
            from = OWN;
            home[OWN] = home[OWN] | returning;
            returning = 0;
            moved_to = OWN;
            unsettled = true;
            settle()
        :: else
        fi;
#ifndef SHRINKS_UNLOCKED
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
    from = to;
#ifdef TELLS_WHEN_IT_LOOKS
    moved_to = from
#endif
}

inline send_home()
{
    atomic {
        assert((home[from] & returning) == 0);
        home[from] = home[from] | returning;
        returning = 0
    };
    moved_to = from
}

active proctype consumer()
{
    byte to, in, value;

    do
    :: head != tail || returning != 0 || moved_to != store ->
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
            value = PLACE(in, head);
            assert(value == head + 1);
            assert(!taken[in]);
            returning = returning | (1 << (value - 1));
            head++;
            if
            :: send_home()
            :: skip
            fi
        :: else -> send_home() /* it finds the socket empty */
        fi;
        locked = false
    :: head == DATAGRAMS && returning == 0 && returned == ALL -> break
    od
}

active proctype stranger()
{
    byte which;

    do
    :: atomic {
            returned != ALL && (!lent[1] || !lent[2]) ->
            if
            :: !lent[1] -> which = 1
            :: !lent[2] -> which = 2
            fi;
            taken[which] = true
        };
        atomic {
            assert(home[which] == 0);
            PLACE(which, 0) = FOREIGN;
            PLACE(which, 1) = FOREIGN;
            taken[which] = false
        }
    :: returned == ALL -> break
    od
}
