/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Receives on one socket: posting, completion, cancellation, sleeping, closing.
 *
 * One lcore publishes bursts into the ring and serves posted receives; posters post, and exit;
 * readers block; a canceller; a closer ends the handle's life and may open the slot again; the
 * service thread does what the lcore leaves to it. lock_word.pml has the memory and the lock word,
 * and says what they correspond to. handles.pml checks the lock word's waiters and generations with
 * more clients than fit here.
 *
 *   model                   code
 *   lcore, a burst          lcore_notify(): tails, F1, `posted`, attempt, `sleepers`
 *   lcore, ready            lcore_serve_ready(), R2; `ready` is the private ready-list entry
 *   lcore, attempt:         attempt(), serve_on_lcore()
 *   lcore, CLOSE            lcore_detach()
 *   pending_serve           pending_serve()
 *   socket_unlock           socket_unlock(): R1, and the baton
 *   wake_sleeper            endpoint_wake_one()
 *   poster                  receive_post(); then, with `exits`, pending_thread_exit()
 *   canceller               posted_remove() of one receive
 *   reader                  receive_now() and receive_wait(); with `may_leave` a time-out ends any
 *                           wait, and an APC one
 *   watch_serve             watch_serve(): records network events, rings for selects
 *   watcher                 event_select()
 *   selecter                look_until(), select_sleep_wait()
 *   closer                  close_locked(); with REOPENS, dataplane_endpoint_open() of that slot
 *   service                 do_deferred(), wake-ups beyond the lcore's budget
 *   server                  do_deferred(), serve_as_client()
 *
 * What is checked
 *   - LOCK excludes (enter() in lock_word.pml). The ring's head and the posted list are touched
 *     under LOCK only, so this is also "no datagram twice, none out of order, list order kept".
 *   - A receive goes from pending to done or cancelled once, and a stale handle is refused.
 *   - When nothing can move any more (`timeout` in init): never data and a posted receive, never
 *     data and a reader or a select asleep; data that is left beside a selection is recorded, all of it; LOCK, AGAIN and WAITERS clear; no ready-list entry; nobody asleep
 *     on the lock; every datagram delivered or queued. These hold without a close too, which would
 *     hide a lost completion by cancelling it.
 *   - Whoever is stuck elsewhere than at a label end_... is an invalid end state.
 *
 * Each scenario at the end names its processes. check.sh runs them, and the mutants: a name in an
 * #ifdef that no scenario defines takes one line of the protocol away.
 */

/*
 * DATAGRAMS: what the lcore publishes, in bursts of any size. BATCH: what one locked section may
 * complete (COMPLETION_BATCH).
 */
#if defined(POSTING) || defined(EXITING)
#define CLIENTS 2
#define DATAGRAMS 3
#elif defined(CANCELLING)
#define CLIENTS 3
#define DATAGRAMS 1
#elif defined(SLEEPING)
#define CLIENTS 2
#define DATAGRAMS 2
#elif defined(LEAVING)
#define CLIENTS 2
#define DATAGRAMS 1
#elif defined(CROWD)
#define CLIENTS 3
#define DATAGRAMS 2
#elif defined(SHARING)
#define CLIENTS 2
#define DATAGRAMS 4
#elif defined(CLOSING)
#define CLIENTS 3
#define DATAGRAMS 2
#define CLOSES
#elif defined(REOPENING)
#define CLIENTS 4
#define DATAGRAMS 2
#define CLOSES
#define REOPENS
#elif defined(SUCCEEDING)
#define CLIENTS 3
#define DATAGRAMS 2
#define CLOSES
#define REOPENS
#elif defined(WATCHING)
#define CLIENTS 2
#define DATAGRAMS 2
#define WATCHES
#elif defined(SELECTING)
#define CLIENTS 2
#define DATAGRAMS 2
#define WATCHES
#elif defined(FOREIGN)
#define CLIENTS 3
#define DATAGRAMS 3
#elif defined(FOREIGN_CLOSING)
#define CLIENTS 3
#define DATAGRAMS 2
#define CLOSES
#endif

#ifndef BATCH
#define BATCH 1
#endif

#include "lock_word.pml"

#define RECEIVES 3

/* Touched under LOCK only. */
byte head; /* datagrams that were ever taken */
chan list = [RECEIVES] of { byte };

/* What became of each receive. */
#define NOT_STARTED 0
#define PENDING 1
#define DONE 2
#define CANCELLED 3
#define REFUSED 4
byte receive[RECEIVES];

byte taken;     /* by readers */
byte discarded; /* by a close */

#ifdef WATCHES
/* Under LOCK: a selection of network events and the tail for which it was last recorded, and the mark of
 * selects that sleep. Either is ENDPOINT_WATCHED. */
bool watched, awaited;
byte recorded;
#define POSTED_WORD (len(list) | ((watched || awaited) << 3))
/* The bell: whose copy of its sequence is current, who is counted as asleep, and who is. */
byte bell_current, bell_sleepers, bell_futex;
#else
#define POSTED_WORD len(list)
#endif

byte sleep_futex; /* readers asleep */
bool ready;       /* private to the lcore */

#define NONE 0
#define CLOSE 1
#define OPEN 2
byte command;      /* on the lcore's command ring; NONE again: answered */
byte life = 1;     /* the generation that a new handle carries */

/* Handed to the service thread: wake-ups beyond the lcore's budget, and sockets to serve. */
byte deferred_sleeper, deferred_waiter;
byte asked;
bool serve_queued;

#define QUEUED(me) (LOAD(me, TAIL, tail) > head)
#define WORK(me) (QUEUED(me) && len(list) > 0)

/* What lets a reader that has announced itself not sleep. */
#if defined(NO_LOOK)
#define LOOK_AGAIN(me, generation) (false)
#elif defined(NO_GENERATION_LOOK)
#define LOOK_AGAIN(me, generation) (QUEUED(me))
#else
#define LOOK_AGAIN(me, generation) (QUEUED(me) || GENERATION(word) != (generation))
#endif

/*
 * The wake sequence counts up for ever, and only "is it still what I loaded?" matters. So it is
 * kept as the set of readers whose copy is current. COUNTED keeps the number instead: as a check of
 * this abstraction, and for the mutant that changes it by a plain store: with several wakers the
 * number can go back to what a reader loaded.
 */
#ifdef COUNTED
byte copy[CPUS];
#define SEQUENCE_IS_CURRENT(me) (wake_sequence == copy[me])
#else
byte current;
#define SEQUENCE_IS_CURRENT(me) (current & BIT(me))
#endif

/* Inside an atomic step. */
inline load_sequence(me)
{
#ifdef COUNTED
    copy[me] = LOAD(me, SEQUENCE, wake_sequence)
#else
    current = current | BIT(me)
#endif
}

inline forget_sequence(me)
{
#ifdef COUNTED
    copy[me] = 0
#else
    current = current & ~BIT(me)
#endif
}

inline change_sequence(me)
{
#ifdef SEQUENCE_BY_PLAIN_STORE
    load_sequence(me);
    atomic {
        ROOM(me) -> store(me, SEQUENCE, copy[me] + 1);
        forget_sequence(me)
    }
#else
    atomic {
        DRAINED(me) ->
#ifdef NO_SEQUENCE
           skip
#elif defined(COUNTED)
           wake_sequence++
#else
           current = 0
#endif
    }
#endif
}

/* Change the sequence, so that whoever is about to sleep does not; then wake whoever does. */
inline wake_sleeper(me)
{
    change_sequence(me);
    atomic {
        DRAINED(me);
        futex_wake_one(sleep_futex)
    }
}

/* Inside an atomic step that began with WORK(me) and ROOM(me). Needs the local `byte which`. */
inline complete_one(me)
{
    list ? which;
    assert(receive[which] == PENDING);
    receive[which] = DONE;
    which = 0;
    head++;
    store(me, POSTED, POSTED_WORD)
}

inline remove(me, number)
{
    atomic {
        ROOM(me);
        if
        :: list ?? [eval(number)] -> list ?? eval(number);
           assert(receive[number] == PENDING);
           receive[number] = CANCELLED;
           store(me, POSTED, POSTED_WORD)
        :: else
        fi
    }
}

#ifdef WATCHES
/* What is left when posted receives have had theirs. */
#define READABLE(me) (QUEUED(me) && len(list) == 0)

/* Inside an atomic step. */
inline record(me)
{
    if
    :: watched && READABLE(me) -> recorded = LOAD(me, TAIL, tail)
    :: else
    fi
}

inline watch_serve(me)
{
    atomic {
        ROOM(me);
        if
        :: more
        :: else ->
           record(me);
           if
           :: awaited && READABLE(me) ->
              awaited = false;
              rings = true;
              store(me, POSTED, POSTED_WORD)
           :: else
           fi
        fi
    }
}

/* After LOCK. */
inline ring_bell(me)
{
    if
    :: rings ->
#ifndef BELL_WITHOUT_SEQUENCE
       atomic { DRAINED(me) -> bell_current = 0 }
#endif
       rings = false;
       if
       :: atomic { DRAINED(me) && bell_sleepers > 0 -> bell_futex = 0 }
       :: atomic { bell_sleepers == 0 -> skip }
       fi
    :: else
    fi
}
#else
#define watch_serve(me) skip
#define ring_bell(me) skip
#endif

/*
 * `more`: the batch is full and work is left. Where a poster ignores it, it relies on there being
 * room in the batch for every receive that was posted in this locked section (there is one).
 */
inline pending_serve(me)
{
    do
    :: atomic { WORK(me) && budget > 0 && ROOM(me) -> complete_one(me); budget-- }
    :: atomic { !WORK(me) || budget == 0 -> more = WORK(me); break }
    od;
    watch_serve(me)
}

/* R1, then the baton: whoever leaves data behind wakes the next sleeper. */
inline socket_unlock(me)
{
    do
    :: lock_word_release(me);
       if
       :: released -> released = false; break
       :: else ->
          pending_serve(me);
#ifdef CLEAR_AGAIN_AFTER_SERVE
          atomic { DRAINED(me) -> word = word & ~AGAIN }
#endif
          if
          :: more -> more = false; lock_word_hand_back(me); break
          :: else
          fi
       fi
    od;
    budget = 0;
    ring_bell(me);
#ifndef NO_BATON
    if
    :: sleepers > 0 ->
       if
       :: QUEUED(me) -> wake_sleeper(me)
       :: else
       fi
    :: else
    fi
#endif
}

#ifdef WATCHES
#define RINGS bool rings
#else
#define RINGS
#endif
#define CLIENT_LOCALS                                                                              \
    byte seen, found, which, budget;                                                               \
    bool slept, released, waiters, more;                                                           \
    RINGS

/* Posts receives first to first + count - 1. */
proctype poster(byte me; byte generation; byte first; byte count; bool exits)
{
    CLIENT_LOCALS;
    byte number = first;

    life >= generation;
    do
    :: number < first + count ->
       lock_word_acquire(me, generation);
       if
       :: found == STALE -> receive[number] = REFUSED
       :: else ->
          atomic {
              ROOM(me);
              assert(receive[number] == NOT_STARTED);
              receive[number] = PENDING;
              list ! number;
              store(me, POSTED, POSTED_WORD)
          }
#ifndef NO_F2
          FENCE(me);
#endif
          budget = BATCH;
          pending_serve(me);
          more = false;
          socket_unlock(me)
       fi;
       number++
    :: else -> break
    od;
    if
    :: exits -> lock_word_acquire(me, generation);
       if
       :: found == STALE
       :: else ->
          number = first;
          do
          :: number < first + count -> remove(me, number);
             number++
          :: else -> break
          od;
          budget = BATCH;
          socket_unlock(me)
       fi
    :: else
    fi
}

proctype canceller(byte me; byte number)
{
    CLIENT_LOCALS;

    lock_word_acquire(me, 1);
    if
    :: found == STALE
    :: else -> remove(me, number);
       budget = BATCH;
       socket_unlock(me)
    fi
}

proctype reader(byte me; byte generation; bool may_leave)
{
    CLIENT_LOCALS;
    bool took, leaves, ran_apc;

    life >= generation;
look:
    lock_word_acquire(me, generation);
    if
    :: found == STALE -> goto out
    :: else
    fi;
    atomic {
        true;
        if
        :: QUEUED(me) && len(list) == 0 -> head++; taken++; took = true /* G12 */
        :: else
        fi;
        budget = BATCH
    }
    socket_unlock(me);
    if
    :: took -> goto out
    :: else
    fi;
wait:
    /* Spinning: it may end in a time-out, or the thread goes on to sleep. */
    if
    :: may_leave && !QUEUED(me) -> goto out
    :: true
    fi;
#ifdef NO_F3
    atomic {
        ROOM(me);
        store(me, SLEEPERS, 1)
    }
#else
    atomic { /* F3; on x86 the locked addition is a fence already */
        DRAINED(me);
        sleepers++
    }
#endif
#ifdef SEQUENCE_AFTER_LOOK
    if
    :: LOOK_AGAIN(me, generation) -> goto awake
    :: else
    fi;
    atomic { true -> load_sequence(me) }
#else
    atomic { true -> load_sequence(me) }
    if
    :: atomic { LOOK_AGAIN(me, generation) -> forget_sequence(me); goto awake }
    :: atomic { !LOOK_AGAIN(me, generation) -> skip }
    fi;
#endif
    if
    :: atomic { DRAINED(me) && SEQUENCE_IS_CURRENT(me) ->
           sleep_futex = sleep_futex | BIT(me);
           forget_sequence(me)
       }
end_asleep:
       if
       :: !(sleep_futex & BIT(me))
       :: atomic { may_leave -> sleep_futex = sleep_futex & ~BIT(me); leaves = true }
       :: atomic { may_leave && !ran_apc -> sleep_futex = sleep_futex & ~BIT(me); ran_apc = true }
       fi
    :: atomic { DRAINED(me) && !SEQUENCE_IS_CURRENT(me) -> forget_sequence(me) }
    fi;
awake:
    atomic {
        DRAINED(me);
        sleepers--
    }
    if
    :: leaves ->
#ifndef NO_LEAVE_BATON
       if
       :: QUEUED(me) && sleepers > 0 -> wake_sleeper(me)
       :: else
       fi;
#endif
       goto out
    :: else
    fi;
    /* While data waits for posted receives, it looks again and again; only a change matters. */
end_spinning:
    !(QUEUED(me) && len(list) > 0);
    goto look;
out:
    skip
}

#ifdef WATCHES
proctype watcher(byte me)
{
    CLIENT_LOCALS;

    lock_word_acquire(me, 1);
#ifdef LOOKS_BEFORE_IT_WATCHES
    atomic { ROOM(me); watched = true; record(me); watched = false }
#endif
    atomic {
        ROOM(me);
        watched = true;
        store(me, POSTED, POSTED_WORD)
    }
#ifndef NO_WATCH_F2
    FENCE(me);
#endif
#ifndef LOOKS_BEFORE_IT_WATCHES
    atomic { true -> record(me) }
#endif
    budget = BATCH;
    socket_unlock(me)
}

proctype selecter(byte me)
{
    CLIENT_LOCALS;
    bool readable;

look:
#ifndef BELL_LOADED_LATE
    atomic { true -> bell_current = bell_current | BIT(me) }
#endif
    lock_word_acquire(me, 1);
#ifdef LOOKS_BEFORE_IT_WATCHES
    atomic { true -> readable = READABLE(me) }
#endif
    atomic {
        ROOM(me);
        awaited = true;
        store(me, POSTED, POSTED_WORD)
    }
#ifndef NO_WATCH_F2
    FENCE(me);
#endif
#ifndef LOOKS_BEFORE_IT_WATCHES
    atomic { true -> readable = READABLE(me) }
#endif
    budget = BATCH;
    socket_unlock(me);
    if
    :: readable -> goto out
    :: else
    fi;
#ifdef BELL_LOADED_LATE
    atomic { true -> bell_current = bell_current | BIT(me) }
#endif
    atomic {
        DRAINED(me);
        bell_sleepers++
    }
    if
    :: atomic { DRAINED(me) && (bell_current & BIT(me)) ->
           bell_futex = bell_futex | BIT(me);
           bell_current = bell_current & ~BIT(me)
       }
end_selecting:
       !(bell_futex & BIT(me))
    :: atomic { DRAINED(me) && !(bell_current & BIT(me)) -> skip }
    fi;
    atomic {
        DRAINED(me);
        bell_sleepers--
    }
    goto look;
out:
    atomic { true -> bell_current = bell_current & ~BIT(me) }
}
#endif

/* The handle is stale first; then who waits on the socket is woken; then the lcore lets it go. */
proctype closer(byte me)
{
    CLIENT_LOCALS;

    lock_word_acquire(me, 1);
    do
    :: atomic { len(list) > 0 && ROOM(me) ->
           list ? which;
           assert(receive[which] == PENDING);
           receive[which] = CANCELLED;
           which = 0;
           store(me, POSTED, POSTED_WORD)
       }
    :: len(list) == 0 -> break
    od;
    lock_word_retire(me);
#ifndef CLOSE_LEAVES_SLEEPERS
    change_sequence(me);
    atomic { DRAINED(me) -> sleep_futex = 0 }
#endif
    command = CLOSE;
    command == NONE;
#ifdef REOPENS
    atomic {
        assert(LOW(word) == 0); /* so opening may be a plain store */
        word = WORD(GENERATION(word) + 1)
    }
    command = OPEN;
    command == NONE;
    life = GENERATION(word)
#endif
}

/* With SERVICE, each FUTEX_WAKE is one that the lcore makes itself or one beyond its budget. */
inline wake_waiter_from_lcore()
{
    if
    :: lock_word_wake_waiter(LCORE)
#ifdef SERVICE
    :: deferred_waiter++
#endif
    fi
}

inline wake_sleeper_from_lcore()
{
    change_sequence(LCORE);
    if
    :: atomic { DRAINED(LCORE) -> futex_wake_one(sleep_futex) }
#ifdef SERVICE
    :: deferred_sleeper++
#endif
    fi
}

#if defined(FOREIGN) || defined(FOREIGN_CLOSING)
#define ON_SERVICE_THREAD
#endif

inline ask_service_thread()
{
    atomic {
        DRAINED(LCORE);
        if
        :: serve_queued
        :: else -> serve_queued = true; asked++
        fi
    }
}

proctype lcore()
{
    byte published, which, budget;
    bool open = true, mine, waiters, more, owed, burst, switched;
    RINGS;

end_polling:
    do
    /* A burst: one tail store, F1. */
    :: atomic {
           open && published < DATAGRAMS && ROOM(LCORE);
           do
           :: published < DATAGRAMS -> published++
           :: published > LOAD(LCORE, TAIL, tail) -> break
           od;
           store(LCORE, TAIL, published);
           burst = true
       }
#ifndef NO_F1
       FENCE(LCORE);
#endif
       owed = LOAD(LCORE, POSTED, posted) > 0;
       goto attempt
    /* R2, the ready-list pass. A look that finds LOCK set changes nothing. */
    :: atomic { ready && !(word & LOCK) ->
           owed = (word & AGAIN) != 0;
           ready = false
       }
       goto attempt
    :: atomic { command == CLOSE -> 
           assert(inside == 0); /* the lcore is the consumer now */
           discarded = LOAD(LCORE, TAIL, tail) - head;
           head = LOAD(LCORE, TAIL, tail);
           open = false;
           ready = false;
           command = NONE
       }
    :: atomic { command == OPEN -> open = true; command = NONE }
    od;

attempt:
    if
    :: owed ->
       owed = false;
#ifdef ON_SERVICE_THREAD
       if
#ifdef SWITCHES
       :: !switched /* the guard's handler is in place */
#endif
       :: switched = true; ask_service_thread(); goto sleeping
       fi;
#endif
       lock_word_try_from_lcore();
       if
       :: mine ->
          mine = false;
          budget = BATCH;
          pending_serve(LCORE);
          budget = 0;
          lock_word_release_from_lcore(more);
          ring_bell(LCORE);
          ready = ready || more;
          more = false;
          if
          :: waiters -> waiters = false;
#ifndef NO_LCORE_WAITERS_WAKE
             wake_waiter_from_lcore()
#endif
          :: else
          fi
       :: else ->
#ifndef NO_KEEP
          ready = true
#else
          skip
#endif
       fi
    :: else
    fi;
sleeping:
    if
    :: atomic { burst && sleepers > 0 -> burst = false }
#ifndef NO_BURST_WAKE
       wake_sleeper_from_lcore()
#endif
    :: atomic { !burst || sleepers == 0 -> burst = false }
    fi;
    goto end_polling
}

#ifdef SERVICE
proctype service()
{
end_idle:
    do
#ifdef NO_SERVICE_WAKE
    :: atomic { deferred_sleeper > 0 -> deferred_sleeper-- }
    :: atomic { deferred_waiter > 0 -> deferred_waiter-- }
#else
    :: atomic { deferred_sleeper > 0 -> deferred_sleeper--; futex_wake_one(sleep_futex) }
    :: atomic { deferred_waiter > 0 -> deferred_waiter--; futex_wake_one(lock_futex) }
#endif
    od
}
#endif

#ifdef ON_SERVICE_THREAD
/* Serves for the lcore, as a client: with a foreign host, or when the guard is lost. */
proctype server(byte me)
{
    CLIENT_LOCALS;
    byte generation;
    bool again;

end_idle:
    atomic { asked > 0 -> asked-- }
#ifndef SERVICE_CLEARS_LATE
    serve_queued = false;
#endif
    do
    :: generation = GENERATION(word);
       if
#ifndef SERVES_CLOSED
       :: !(generation & 1) -> break
#endif
       :: else
       fi;
       lock_word_acquire(me, generation);
       if
       :: found == STALE -> break
       :: else
       fi;
       budget = BATCH;
       pending_serve(me);
       again = more;
       more = false;
       socket_unlock(me);
       if
       :: again -> again = false
       :: else -> break
       fi
    od;
    generation = 0;
#ifdef SERVICE_CLEARS_LATE
    serve_queued = false;
#endif
    goto end_idle
}
#endif

init
{
    byte number, done;
    byte unused;        /* first receive that the scenario does not use */
    byte of_first_life; /* readers with a handle that is closed */

    atomic {
        run memory();
        run lcore();
#ifdef SERVICE
        run service();
#endif
#if defined(POSTING)
        run poster(1, 1, 0, 2, false);
        run poster(2, 1, 2, 1, false);
        unused = RECEIVES
#elif defined(CANCELLING)
        run poster(1, 1, 0, 1, true);
        run poster(2, 1, 1, 1, false);
        run canceller(3, 1);
        unused = 2
#elif defined(SLEEPING)
        run reader(1, 1, false);
        run reader(2, 1, false);
        unused = 0
#elif defined(LEAVING)
        run reader(1, 1, false);
        run reader(2, 1, true);
        unused = 0
#elif defined(CROWD)
        run reader(1, 1, false);
        run reader(2, 1, false);
        run reader(3, 1, true);
        unused = 0
#elif defined(EXITING)
        run poster(1, 1, 0, 2, true);
        run reader(2, 1, false);
        unused = 2
#elif defined(SHARING)
        run poster(1, 1, 0, 3, false);
        run reader(2, 1, false);
        unused = RECEIVES
#elif defined(CLOSING)
        run poster(1, 1, 0, 1, false);
        run reader(2, 1, false);
        run closer(3);
        unused = 1;
        of_first_life = BIT(2)
#elif defined(REOPENING)
        run poster(1, 1, 0, 1, false);
        run poster(2, 3, 1, 1, false);
        run reader(3, 1, false);
        run closer(4);
        unused = 2;
        of_first_life = BIT(3)
#elif defined(WATCHING)
        run watcher(1);
        run poster(2, 1, 0, 1, false);
        unused = 1
#elif defined(SELECTING)
        run selecter(1);
        run reader(2, 1, false);
        unused = 0
#elif defined(FOREIGN)
        run poster(1, 1, 0, 2, false);
        run poster(2, 1, 2, 1, false);
        run server(3);
        unused = RECEIVES
#elif defined(FOREIGN_CLOSING)
        run poster(1, 1, 0, 2, false);
        run closer(2);
        run server(3);
        unused = 2
#elif defined(SUCCEEDING)
        run reader(1, 1, false);
        run reader(2, 3, false);
        run closer(3);
        unused = 0;
        of_first_life = BIT(1)
#endif
    }
    timeout;
    d_step {
        assert(!(tail > head && len(list) > 0));   /* no posted receive beside data */
        assert(!(tail > head && sleep_futex != 0)); /* no reader asleep beside data */
#ifdef WATCHES
        assert(!(tail > head && bell_futex != 0));  /* no select asleep beside data */
        assert(!(tail > head && watched && recorded != tail));
#endif
        assert(lock_futex == 0);
        assert(inside == 0);
#ifdef SWITCHES
        assert((LOW(word) & ~AGAIN) == 0);
#else
        assert(LOW(word) == 0);
#endif
        assert(!ready);
        do
        :: number < RECEIVES ->
           assert(receive[number] != NOT_STARTED || number >= unused);
           if
           :: receive[number] == DONE -> done++
           :: else
           fi;
           number++
        :: else -> break
        od;
        assert(head == done + taken + discarded);
#ifdef CLOSES
        assert(receive[0] != PENDING);
        assert(!(sleep_futex & of_first_life));
#else
        assert(tail == DATAGRAMS)
#endif
    }
}
