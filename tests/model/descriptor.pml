/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An event and its descriptor: rules M1 to M7 of event_descriptor.h.
 *
 *   model          code
 *   change         with_signal() and is_user(), in event_set(), _reset(), _take(), _settle()
 *   follow         event_follow(), follow_once(), leave()
 *   to_errand      leave_to_errand()
 *   bury           event_bury()
 *   ask            event_descriptor(), begin_mirror(), known_descriptor()
 *   close          event_close()
 *   lcore          event_set() where wake_may_call() counts; its budget is one call
 *   service        run_errand()
 *   poller         the client: waits for the descriptor, level- or edge-triggered (EDGE), then
 *                  takes the signal once, as wirerx_event_descriptor() says that it may
 *
 * No store buffers: all that threads share are one word, changed by read-modify-writes, and the
 * eventfd, which the kernel locks. `descriptor` is written by the only user, before a
 * read-modify-write that says so. An eventfd is modelled exactly: readable or not, and a write is
 * an edge for an edge-triggered waiter, also when it was readable already. USERS has room for ROOM.
 *
 * FOLLOWING: two setters, one of them an lcore, a poller, another thread that takes or resets, and
 * another that asks. ENDING: a close against a setter, an lcore, a taker and a thread that asks;
 * then another event in the slot. SPINNING: a setter that is off its core for ever after a late
 * write, and a poller. What is checked: a system call never reaches a closed descriptor; each is
 * closed once and each slot freed once; an errand is handed over once at a time; whoever asks gets
 * a descriptor; when nothing can move any more there are no users, word and descriptor agree, and
 * no poller waits for a signal that is there; and a late write ends a poller's wait once.
 */

#define FILES 3

#ifndef ROOM
#define ROOM 4
#endif

/* The word. */
byte generation = 1;
bool signalled, mirrored, queued, owed;
byte users;

byte descriptor; /* 0: none yet */
bool handed;     /* the errand is with the service thread */
bool slot_free;

/* The kernel's. Numbers are not used twice here: a call on a closed one would hit a stranger. */
byte opened;
bool open[FILES], readable[FILES], edge[FILES];

#define ENDED (generation % 2 == 0)

/* Inside an atomic step. */
inline change(value)
{
    if
#ifdef LOOKS_WITHOUT_HELPING
    :: signalled != value && mirrored ->
#else
    :: mirrored && (signalled != value || (!value && users > 0)) ->
#endif
       signalled = value;
       if
       :: users == ROOM ->
#ifndef FULL_OWES_NOTHING
          owed = true
#else
          skip
#endif
       :: else -> users++;
          mine = true
       fi
    :: else -> signalled = value
    fi
}

inline system_call()
{
    atomic {
        assert(open[descriptor]);
        if
#ifdef WRITES_ONCE
        :: shown && readable[descriptor]
#endif
        :: else ->
           readable[descriptor] = shown;
           edge[descriptor] = shown || edge[descriptor]
        fi
    }
}

/* Inside an atomic step. */
inline bury()
{
    if
    :: mirrored ->
       assert(open[descriptor]);
       open[descriptor] = false
    :: else
    fi;
    mirrored = false;
    owed = false;
    assert(users == 0 && !queued && !slot_free);
    slot_free = true
}

/* Inside an atomic step. */
inline to_errand()
{
    if
    :: queued -> users--
    :: else ->
       queued = true;
       assert(!handed);
#ifndef LCORE_DROPS_ERRAND
       handed = true
#endif
    fi
}

/* Inside an atomic step. */
inline look()
{
#ifndef CLEARS_OWED_LATE
    owed = false;
#endif
    ended = ENDED;
    shown = signalled
}

/* leave()'s answer: does the descriptor show the word? */
#ifdef LEAVES_UNSEEN
#define IN_LINE true
#else
#ifdef LEAVES_OWED
#define IN_LINE (ENDED || signalled == shown)
#else
#define IN_LINE (ENDED || (signalled == shown && !owed))
#endif
#endif

/* Whoever has `mine`. */
inline follow(counts)
{
    do
    :: atomic { counts && budget == 0 -> to_errand() }
       break
    :: atomic { else ->
           budget = (counts -> budget - 1 : budget);
           look()
       }
       if
       :: !ended -> system_call()
       :: else
       fi;
#ifdef CLEARS_OWED_LATE
       owed = false;
#endif
       if
       :: atomic { IN_LINE ->
              if
              :: ENDED && users == 1 && counts -> to_errand()
              :: else ->
                 users--;
                 if
#ifdef CLOSER_BURIES
                 :: false
#else
                 :: ENDED && users == 0 -> bury()
#endif
                 :: else
                 fi
              fi
          }
          break
       :: atomic { !IN_LINE -> skip }
       fi
    od;
    mine = false
}

#define LOCALS                                                                                     \
    byte budget = 1;                                                                               \
    bool mine, ended, shown

inline set(life, counts)
{
    atomic {
        if
        :: generation == life -> change(true)
        :: else
        fi
    };
    if
    :: mine -> follow(counts)
    :: else
    fi
}

/* Also a reset; neither says whether there was a signal. */
inline take(life)
{
    atomic {
        if
        :: generation == life -> change(false)
        :: else
        fi
    };
    if
    :: mine -> follow(false)
    :: else
    fi
}

/* @param found  0: stale */
inline ask(life, found)
{
    if
    :: atomic { generation != life -> found = 0 }
    :: atomic { generation == life && mirrored ->
           assert(descriptor != 0);
           found = descriptor
       }
    :: atomic { generation == life && !mirrored && users == 0 -> users = 1 }
       atomic {
           found = opened;
           opened++;
           open[found] = true
       };
#ifdef MIRRORED_BEFORE_DESCRIPTOR
       mirrored = true;
       descriptor = found;
#else
       descriptor = found;
       mirrored = true;
#endif
#ifdef BEGINS_WITHOUT_LOOK
       users--
#else
       follow(false)
#endif
    fi
}

inline close(life)
{
    bool alone;

    atomic {
        assert(generation == life);
        generation++;
        signalled = false;
        alone = users == 0;
        if
#ifdef CLOSER_BURIES
        :: true -> users = 0;
           queued = false;
           bury()
#else
        :: alone -> bury()
#endif
        :: else
        fi
    }
}

/* --- who does it ------------------------------------------------------------------------------ */

proctype setter(byte life; byte sets)
{
    LOCALS;

    do
    :: sets > 0 -> sets--;
       set(life, false)
    :: else -> break
    od
}

proctype lcore(byte life; byte sets)
{
    LOCALS;

    do
    :: sets > 0 -> sets--;
       set(life, true)
    :: else -> break
    od
}

proctype service()
{
    LOCALS;

end_no_errand:
    do
    :: atomic { handed -> handed = false }
#ifdef CLEARS_QUEUED_LATE
       follow(false);
       queued = false
#else
       queued = false;
       follow(false)
#endif
    od
}

proctype taker(byte life)
{
    LOCALS;

    take(life)
}

proctype asker(byte life)
{
    LOCALS;
    byte found;

    ask(life, found)
}

proctype poller(byte life)
{
    LOCALS;
    byte found, wakes;

    ask(life, found);
end_no_signal:
    do
#ifdef EDGE
    :: atomic { edge[found] -> edge[found] = false }
#else
    :: readable[found]
#endif
#ifdef SPINNING
       wakes++;
       assert(wakes <= 1); /* there is one signal */
#endif
       take(life)
    od
}

proctype closer()
{
    LOCALS;
    byte found;

    close(1);
    atomic { slot_free -> slot_free = false; generation++ };
    set(3, false);
    ask(3, found);
    assert(found != 0)
}

/* It loses its core between its look and its write, and again, for ever, after the write. */
proctype late_setter()
{
    LOCALS;

    atomic { change(true) };
    atomic { look() };
    system_call()
}

init
{
    LOCALS;
    byte found;

    opened = 1;
#ifdef SPINNING
    ask(1, found);
#endif
    atomic {
        run service();
#ifdef ENDING
        run closer();
        run setter(1, 1);
        run lcore(1, 2);
        run taker(1);
        run asker(1)
#endif
#ifdef FOLLOWING
        run setter(1, 1);
        run lcore(1, 2);
        run poller(1);
        run taker(1);
        run asker(1)
#endif
#ifdef SPINNING
        run late_setter();
        run poller(1);
        run taker(1)
#endif
    }
    timeout;
    d_step {
        assert(mirrored);
        assert(open[descriptor]);
        assert(readable[descriptor] == signalled);
#ifdef SPINNING
        assert(users == 1);
#else
        assert(users == 0);
        assert(!owed);
        assert(!queued && !handed);
#endif
#ifdef ENDING
        assert(generation == 3);
        assert(opened == 2 || !open[1])
#else
        assert(!signalled)
#endif
    }
}
