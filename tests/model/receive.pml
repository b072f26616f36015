/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Receives on one socket: posting, completion, cancellation, sleeping, closing.
 *
 * One lcore publishes bursts into the ring and serves posted receives; posters post, cancel and
 * exit; readers block; a closer ends the handle's life and may open the slot again; the service
 * thread makes the wake-ups beyond the lcore's budget. lock_word.pml has the memory and the lock
 * word, and says what they correspond to. handles.pml checks the lock word's waiters and
 * generations with more clients than fit here.
 *
 *   model               code (names as in lock_word.h and the rules there)
 *   publish             ring tail published for a burst, F1, `posted` and `sleepers` loaded
 *   attempt             lock_word_try_from_lcore(), completions, lock_word_release_from_lcore()
 *   ready               the lcore's private ready-list entry (R2)
 *   serve_and_release   R1: what every client does that held LOCK
 *   poster              WSPRecv that returns WSA_IO_PENDING; then, with `exits`, the thread's exit
 *   canceller           CancelIoEx: one receive leaves the list as cancelled
 *   reader              blocking WSPRecv; with `may_leave` a time-out or an APC ends its sleep
 *   closer              WSPCloseSocket; with REOPEN, WSPSocket that gets the same slot
 *   service             the service thread
 *
 * What is checked
 *   - LOCK excludes (enter() in lock_word.pml). The ring's head and the posted list are touched
 *     under LOCK only, so this is also "no datagram twice, none out of order, list order kept".
 *   - A receive goes from pending to done or cancelled once, and a stale handle is refused.
 *   - When nothing can move any more (`timeout` in init): never data and a posted receive, never
 *     data and nothing posted and a reader asleep; LOCK, AGAIN and WAITERS clear; no ready-list
 *     entry; nobody asleep on the lock; every datagram delivered or queued. These hold without a
 *     close too, which would hide a lost completion by cancelling it.
 *   - Whoever is stuck elsewhere than at a label end_... is an invalid end state.
 *
 * Each scenario at the end names its processes. check.sh runs them, and the mutants.
 */

#if defined(POSTING) || defined(SLEEPING) || defined(LEAVING) || defined(MIXED)
#define CLIENTS 2
#elif defined(REOPENING)
#define CLIENTS 4
#else
#define CLIENTS 3
#endif
#ifndef DATAGRAMS
#define DATAGRAMS 2 /* that the lcore publishes, in bursts of any size */
#endif

#include "lock_word.pml"

#ifndef COMPLETIONS
#define COMPLETIONS 1 /* of one holder; the rest is handed to the lcore */
#endif
#define ROUNDS 1 /* of AGAIN before a client hands back */
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

byte sleep_futex; /* readers asleep */
bool ready;       /* private to the lcore */

#define NONE 0
#define CLOSE 1
#define OPEN 2
byte command;      /* on the lcore's command ring; NONE again: answered */
byte life = 1;     /* the generation that a new handle carries */

/* Wake-ups handed to the service thread. */
#define WAKE_SLEEPER 1
#define WAKE_WAITER 2
byte requests;

#define DATA(me) (LOAD(me, TAIL, tail) > head)
#define WORK(me) (DATA(me) && len(list) > 0)
#define FOR_READERS(me) (DATA(me) && len(list) == 0) /* G12: posted receives come first */

/*
 * The wake sequence counts up for ever, and only "is it still what I loaded?" matters. So it is kept
 * as the set of readers whose copy is current. COUNTED keeps the number instead: as a check of this
 * abstraction, and for the mutant that changes it by a plain store.
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
    store(me, POSTED, len(list))
}

inline remove(me, number)
{
    atomic {
        ROOM(me);
        if
        :: list ?? [eval(number)] -> list ?? eval(number);
           assert(receive[number] == PENDING);
           receive[number] = CANCELLED;
           store(me, POSTED, len(list))
        :: else
        fi
    }
}

/*
 * R1. Completions first, at most COMPLETIONS; then release, or clear AGAIN and look again, or hand
 * back. Data left for readers when the last look was made: the baton goes on after the release.
 */
inline serve_and_release(me, baton)
{
    budget = COMPLETIONS;
    rounds = ROUNDS;
    do
    :: atomic { WORK(me) && budget > 0 && ROOM(me) -> complete_one(me); budget-- }
    :: atomic { !WORK(me) || budget == 0 -> more = WORK(me); left = FOR_READERS(me) }
#ifdef CLEAR_AGAIN_AFTER_SERVE
       if
       :: atomic { rounds < ROUNDS && DRAINED(me) -> word = word & ~AGAIN }
       :: rounds == ROUNDS
       fi;
#endif
       if
       :: more || rounds == 0 -> lock_word_hand_back(me, more);
          break
       :: else -> lock_word_release(me);
          if
          :: released -> break
          :: else -> rounds--
          fi
       fi
    od;
    budget = 0;
    rounds = 0;
    more = false;
    released = false;
    if
    :: baton && left && sleepers > 0 -> left = false; wake_sleeper(me)
    :: else -> left = false
    fi
}

#define CLIENT_LOCALS                                                                              \
    byte seen, found, which, budget, rounds;                                                       \
    bool slept, released, waiters, more, left

#ifdef NO_BATON
#define NO_POSTER_BATON
#define NO_CANCEL_BATON
#define NO_READER_BATON
#define NO_SLEEPER_BATON
#define NO_LCORE_BATON
#define NO_LEAVE_BATON
#endif
#ifdef NO_POSTER_BATON
#define POSTER_BATON false
#else
#define POSTER_BATON true
#endif
#ifdef NO_CANCEL_BATON
#define CANCEL_BATON false
#else
#define CANCEL_BATON true
#endif
#ifdef NO_READER_BATON
#define READER_BATON false
#else
#define READER_BATON true
#endif
#ifdef NO_SLEEPER_BATON
#define SLEEPER_BATON false
#else
#define SLEEPER_BATON true
#endif

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
              store(me, POSTED, len(list))
          }
#ifndef NO_F2
          FENCE(me);
#endif
          serve_and_release(me, POSTER_BATON)
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
          serve_and_release(me, CANCEL_BATON)
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
       serve_and_release(me, CANCEL_BATON)
    fi
}

/* The announcement is made under LOCK, and the sequence read before the second look. */
proctype reader(byte me; bool may_leave)
{
    CLIENT_LOCALS;
    bool leaves;

look:
    lock_word_acquire(me, 1);
    if
    :: found == STALE -> goto out
    :: else
    fi;
    if
    :: atomic { FOR_READERS(me) -> head++; taken++ }
       goto consumed
    :: true
    fi;
#ifndef SEQUENCE_AFTER_LOOK
    atomic { true -> load_sequence(me) }
#endif
#ifdef NO_F3
    atomic {
        ROOM(me);
        store(me, SLEEPERS, 1)
    }
#else
    atomic {
        DRAINED(me);
        sleepers++
    }
#endif
    if
    :: atomic { FOR_READERS(me) -> head++; taken++; forget_sequence(me) }
       atomic {
           DRAINED(me);
           sleepers--
       }
       goto consumed
    :: !FOR_READERS(me)
    fi;
#ifdef SEQUENCE_AFTER_LOOK
    atomic { true -> load_sequence(me) }
#endif
    serve_and_release(me, SLEEPER_BATON);
    if
    :: atomic { SEQUENCE_IS_CURRENT(me) ->
           sleep_futex = sleep_futex | BIT(me);
           forget_sequence(me)
       }
end_asleep:
       if
       :: !(sleep_futex & BIT(me))
       :: atomic { may_leave -> sleep_futex = sleep_futex & ~BIT(me) }
          leaves = true
       fi
    :: atomic { !SEQUENCE_IS_CURRENT(me) -> forget_sequence(me) }
    fi;
    if
    :: may_leave -> leaves = true
    :: true
    fi;
    atomic {
        DRAINED(me);
        sleepers--;
        left = sleepers > 0
    }
    if
    :: leaves ->
#ifndef NO_LEAVE_BATON
       if
       :: left -> left = false; wake_sleeper(me)
       :: else
       fi;
#endif
       goto out
    :: else -> left = false
    fi;
    goto look;
consumed:
    serve_and_release(me, READER_BATON);
out:
    skip
}

proctype closer(byte me)
{
    CLIENT_LOCALS;

    lock_word_acquire(me, 1);
    do
    :: atomic { len(list) > 0 && ROOM(me) -> list ? which }
       assert(receive[which] == PENDING);
       receive[which] = CANCELLED;
       atomic {
           ROOM(me);
           store(me, POSTED, len(list))
       }
    :: len(list) == 0 -> break
    od;
    which = 0;
#ifdef COMMAND_UNDER_LOCK
    command = CLOSE;
    command == NONE;
#endif
    lock_word_retire(me);
#ifndef CLOSE_LEAVES_SLEEPERS
    change_sequence(me);
    sleep_futex = 0;
#endif
#ifndef COMMAND_UNDER_LOCK
    command = CLOSE;
    command == NONE;
#endif
    discarded = tail - head;
    head = tail;
#ifdef REOPENING
    word = WORD(GENERATION(word) + 1);
    command = OPEN;
    command == NONE;
    life = GENERATION(word)
#endif
}

/* With SERVICE, each wake-up is one that the lcore makes itself or one beyond its budget. */
inline wake_from_lcore(what)
{
    if
    :: true ->
       if
       :: what == WAKE_SLEEPER -> wake_sleeper(LCORE)
       :: else -> lock_word_wake_waiter(LCORE)
       fi
#ifdef SERVICE
    :: atomic { DRAINED(LCORE) -> requests = requests | what }
#endif
    fi
}

proctype lcore()
{
    byte published, which, budget;
    bool open = true, mine, waiters, more, owed, asleep;

end_polling:
    do
    /* A burst: one tail store, F1, the two loads. */
    :: atomic {
           open && published < DATAGRAMS && ROOM(LCORE);
           do
           :: published < DATAGRAMS -> published++
           :: published > LOAD(LCORE, TAIL, tail) -> break
           od;
           store(LCORE, TAIL, published)
       }
#ifndef NO_F1
       FENCE(LCORE);
#endif
       owed = LOAD(LCORE, POSTED, posted) > 0;
       asleep = sleepers > 0;
       goto serve
    /* R2, the ready-list pass. A look that finds LOCK set changes nothing. */
    :: atomic { ready && !(word & LOCK) ->
           owed = (word & AGAIN) != 0;
           ready = owed
       }
       goto serve
    :: atomic { command == CLOSE -> open = false; ready = false; command = NONE }
    :: atomic { command == OPEN -> open = true; command = NONE }
    od;

serve:
    if
    :: owed ->
       owed = false;
       lock_word_try_from_lcore();
       if
       :: mine ->
          mine = false;
          budget = COMPLETIONS;
          do
          :: atomic { WORK(LCORE) && budget > 0 && ROOM(LCORE) -> complete_one(LCORE); budget-- }
          :: atomic { !WORK(LCORE) || budget == 0 -> more = WORK(LCORE) }
             break
          od;
          budget = 0;
#ifndef NO_LCORE_BATON
          asleep = asleep || FOR_READERS(LCORE);
#endif
          lock_word_release_from_lcore(more);
          ready = more;
          more = false;
          asleep = asleep && sleepers > 0;
          if
          :: waiters ->
             waiters = false;
#ifndef NO_LCORE_WAITERS_WAKE
             wake_from_lcore(WAKE_WAITER)
#endif
          :: else
          fi
       :: else ->
#ifndef NO_KEEP
          ready = true
#else
          ready = false
#endif
       fi
    :: else
    fi;
    if
    :: asleep ->
       asleep = false;
#ifndef NO_BURST_WAKE
       wake_from_lcore(WAKE_SLEEPER)
#endif
    :: else
    fi;
    goto end_polling
}

#ifdef SERVICE
proctype service()
{
    byte requested;

end_idle:
    do
#ifdef SERVICE_CLEARS_LATE
    :: requests != 0 -> requested = requests;
#else
    :: atomic { requests != 0 -> requested = requests; requests = 0 }
#endif
#ifndef NO_SERVICE_WAKE
       if
       :: requested & WAKE_SLEEPER -> wake_sleeper(SERVICE_CPU)
       :: else
       fi;
       if
       :: requested & WAKE_WAITER -> lock_word_wake_waiter(SERVICE_CPU)
       :: else
       fi;
#endif
#ifdef SERVICE_CLEARS_LATE
       requests = 0;
#endif
       requested = 0
    od
}
#endif

init
{
    byte number, done;

    atomic {
        run memory();
        run lcore();
#ifdef SERVICE
        run service();
#endif
#if defined(POSTING)
        run poster(1, 1, 0, 2, false);
        run poster(2, 1, 2, 1, false)
#elif defined(CANCELLING)
        run poster(1, 1, 0, 1, true);
        run poster(2, 1, 1, 1, false);
        run canceller(3, 1);
        receive[2] = REFUSED
#elif defined(SLEEPING)
        run reader(1, false);
        run reader(2, false);
        receive[0] = REFUSED;
        receive[1] = REFUSED;
        receive[2] = REFUSED
#elif defined(LEAVING)
        run reader(1, false);
        run reader(2, true);
        receive[0] = REFUSED;
        receive[1] = REFUSED;
        receive[2] = REFUSED
#elif defined(MIXED)
        run poster(1, 1, 0, 2, true);
        run reader(2, false);
        receive[2] = REFUSED
#elif defined(MIXED2)
        run poster(1, 1, 0, 2, false);
        run reader(2, false);
        run canceller(3, 1);
        receive[2] = REFUSED
#elif defined(CLOSING)
        run poster(1, 1, 0, 1, false);
        run reader(2, false);
        run closer(3);
        receive[1] = REFUSED;
        receive[2] = REFUSED
#elif defined(REOPENING)
        run poster(1, 1, 0, 1, false);
        run poster(2, 3, 1, 1, false);
        run reader(3, false);
        run closer(4);
        receive[2] = REFUSED
#endif
    }
    timeout;
    d_step {
        assert(inside == 0);
        assert(LOW(word) == 0);
        assert(lock_futex == 0);
        assert(!ready);
        assert(!(tail > head && len(list) > 0));
        assert(!(tail > head && sleep_futex != 0));
        do
        :: number < RECEIVES ->
           assert(receive[number] != NOT_STARTED);
           if
           :: receive[number] == DONE -> done++
           :: else
           fi;
#if defined(CLOSING) || defined(REOPENING)
           assert(receive[number] != PENDING || GENERATION(word) == 3);
#endif
           number++
        :: else -> break
        od;
        assert(head == done + taken + discarded)
    }
}
