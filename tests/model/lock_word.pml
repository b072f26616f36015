/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Memory with store buffers, futexes and the lock word: what receive.pml and handles.pml share.
 * The including file defines CLIENTS, the number of client threads: 2 to 4.
 *
 * Memory is x86-TSO. Each CPU has a first-in first-out store buffer of two entries; the process
 * memory() drains them one entry at a time, at any moment. A load looks into the CPU's own buffer
 * first. A fence and an atomic read-modify-write wait until the buffer is empty, which is the same
 * as emptying it, and so does a futex system call. Only the fields that somebody reads without LOCK
 * need the buffer: the ring's tail, `posted`, and in mutants `sleepers`, the wake sequence and the
 * word itself. What is touched only under LOCK is plain memory: LOCK is taken and released by
 * read-modify-writes.
 *
 * C11 is weaker than TSO in one place that matters: the store half of a relaxed atomic addition may
 * become visible after a later load (Arm's STADD). The mutant NO_F3 puts it into the buffer.
 *
 * A futex is modelled exactly: compare and block in one step, wake any one sleeper or all.
 *
 *   model                             lock_word.h
 *   lock_word_acquire                 lock_word_acquire(); its bounded spin is the delay before a
 *                                     step. Load and compare-and-swap are one step: when the word
 *                                     changes between them the code goes round again
 *   lock_word_release                 lock_word_release()
 *   lock_word_hand_back               lock_word_hand_back()
 *   lock_word_retire                  lock_word_retire()
 *   lock_word_try_from_lcore          lock_word_try_from_lcore()
 *   lock_word_release_from_lcore      lock_word_release_from_lcore()
 *   lock_word_wake_waiter             lock_word_wake_waiter()
 */

/* The word: generation << 6 | owner << 3 | WAITERS | AGAIN | LOCK. The lcore is owner 0. */
#define LOCK 1
#define AGAIN 2
#define WAITERS 4
#define OWNER(me) ((me) << 3)
#define OWNER_OF(w) (((w) >> 3) & 7)
#define LOW(w) ((w) & 63)
#define GENERATION(w) ((w) >> 6)
#define WORD(generation) ((generation) << 6)

#define LCORE 0
#define SERVICE_CPU (CLIENTS + 1) /* the service thread makes no plain store */
#define CPUS (CLIENTS + 2)
#define BIT(me) (1 << (me))

byte word = WORD(1);

/* Store buffers. An entry is where << 4 | value; 0 is none. */
#define TAIL 1
#define POSTED 2
#define SLEEPERS 3 /* value is added */
#define SEQUENCE 4
#define UNLOCKED 5 /* the low part of the word becomes 0 */
#define RETIRED 6  /* the word becomes the next generation */

byte oldest[CPUS], newest[CPUS];
byte tail;          /* datagrams that were ever published */
byte posted;        /* length of the posted list, for those who do not hold LOCK */
byte sleepers;      /* readers that announced sleep */
byte wake_sequence; /* the futex word that they sleep on */

#define DRAINED(me) (oldest[me] == 0)
#define ROOM(me) (newest[me] == 0)
#define FENCE(me) DRAINED(me)
#define LOAD(me, where, field)                                                                     \
    ((newest[me] >> 4) == where -> (newest[me] & 15)                                               \
                                : ((oldest[me] >> 4) == where -> (oldest[me] & 15) : field))

/* Inside an atomic step that began with ROOM(me). */
inline store(me, where, value)
{
    if
    :: oldest[me] == 0 -> oldest[me] = (where << 4) | (value)
    :: else -> newest[me] = (where << 4) | (value)
    fi
}

inline drain(me)
{
    if
    :: oldest[me] >> 4 == TAIL -> tail = oldest[me] & 15
    :: oldest[me] >> 4 == POSTED -> posted = oldest[me] & 15
    :: oldest[me] >> 4 == SLEEPERS -> sleepers = sleepers + (oldest[me] & 15)
    :: oldest[me] >> 4 == SEQUENCE -> wake_sequence = oldest[me] & 15
    :: oldest[me] >> 4 == UNLOCKED -> word = WORD(GENERATION(word))
    :: oldest[me] >> 4 == RETIRED -> word = WORD(GENERATION(word) + 1)
    fi;
    oldest[me] = newest[me];
    newest[me] = 0
}

proctype memory()
{
end_all_drained:
    do
    :: d_step { oldest[0] != 0 -> drain(0) }
    :: d_step { oldest[1] != 0 -> drain(1) }
    :: d_step { oldest[2] != 0 -> drain(2) }
#if CLIENTS > 2
    :: d_step { oldest[3] != 0 -> drain(3) }
#endif
#if CLIENTS > 3
    :: d_step { oldest[4] != 0 -> drain(4) }
#endif
    od
}

/* `sleeping`: threads asleep in the kernel. Inside an atomic step that began with DRAINED(me). */
inline futex_wake_one(sleeping)
{
    if
    :: sleeping == 0
    :: sleeping & BIT(1) -> sleeping = sleeping & ~BIT(1)
    :: sleeping & BIT(2) -> sleeping = sleeping & ~BIT(2)
#if CLIENTS > 2
    :: sleeping & BIT(3) -> sleeping = sleeping & ~BIT(3)
#endif
#if CLIENTS > 3
    :: sleeping & BIT(4) -> sleeping = sleeping & ~BIT(4)
#endif
    fi
}

byte lock_futex; /* asleep in lock_word_acquire() */

byte inside; /* who is in the locked section, as bits; the protocol does not see this */

inline enter(me)
{
    assert(inside == 0); /* LOCK excludes */
    inside = BIT(me)
}

inline leave(me)
{
    assert(inside == BIT(me));
    inside = 0
}

/* What lock_word_acquire() found. */
#define ACQUIRED 1
#define STALE 2

#ifdef NO_GENERATION
#define SAME_GENERATION(generation) (true)
#else
#define SAME_GENERATION(generation) (GENERATION(word) == (generation))
#endif

/* Needs the locals `byte seen, found; bool slept`. */
inline lock_word_acquire(me, generation)
{
    do
    :: atomic { !SAME_GENERATION(generation) -> found = STALE }
       if
#ifndef STALE_KEEPS_WAKE_UP
       /* The low half of a later life can look like ours: then we were woken in another's place. */
       :: slept -> slept = false; lock_word_wake_waiter(me)
#endif
       :: else
       fi;
       break
#ifdef GENERATION_CHECKED_APART
    :: SAME_GENERATION(generation);
       atomic {
           DRAINED(me) && !(word & LOCK);
#else
    :: atomic {
           DRAINED(me) && SAME_GENERATION(generation) && !(word & LOCK);
#endif
           enter(me);
           assert(GENERATION(word) == (generation)); /* a stale handle never takes LOCK */
           word = word | LOCK | OWNER(me);
           found = ACQUIRED;
           if
#ifndef WAITER_FORGETS_OTHERS
           :: slept -> word = word | WAITERS /* others may sleep: only one was woken */
#endif
           :: else
           fi;
           slept = false;
           break
       }
    :: atomic {
           DRAINED(me) && SAME_GENERATION(generation) && (word & LOCK);
           assert(OWNER_OF(word) != me); /* no thread waits for itself */
           word = word | WAITERS;
           slept = true;
           seen = LOW(word)
       }
       /* FUTEX_WAIT on the low half of the word */
       if
#ifdef FUTEX_WITHOUT_COMPARE
       :: lock_futex = lock_futex | BIT(me);
#else
       :: atomic { DRAINED(me) && LOW(word) == seen -> lock_futex = lock_futex | BIT(me) }
#endif
          atomic { !(lock_futex & BIT(me)) -> seen = 0 }
       :: atomic { DRAINED(me) && LOW(word) != seen -> seen = 0 }
       fi
    od
}

inline lock_word_wake_waiter(me)
{
    atomic {
        DRAINED(me);
        futex_wake_one(lock_futex)
    }
}

#ifdef NO_WAITERS_WAKE
#define WAKE_AFTER_RELEASE(me) skip
#else
#define WAKE_AFTER_RELEASE(me) lock_word_wake_waiter(me)
#endif

/* Needs the locals `bool released, waiters`. */
inline lock_word_release(me)
{
    atomic {
        DRAINED(me);
#ifdef RELEASE_IGNORES_AGAIN
        if
        :: false
#else
        if
        :: word & AGAIN -> released = false;
#ifndef CLEAR_AGAIN_AFTER_SERVE
           word = word & ~AGAIN
#endif
#endif
        :: else -> waiters = (word & WAITERS) != 0;
           released = true;
           leave(me);
#ifdef UNLOCK_BY_PLAIN_STORE
           store(me, UNLOCKED, 0)
#else
           word = WORD(GENERATION(word))
#endif
        fi
    }
    if
    :: released && waiters -> WAKE_AFTER_RELEASE(me)
    :: else
    fi;
    waiters = false
}

/*
 * Only after lock_word_release() said false under this LOCK. That has cleared AGAIN, so this sets
 * it in the step that releases: when the lcore sees neither bit it drops its ready-list entry.
 * Needs the local `bool waiters`.
 */
inline lock_word_hand_back(me)
{
    atomic {
        DRAINED(me);
        waiters = (word & WAITERS) != 0;
        leave(me);
        word = word & ~(LOCK | WAITERS | OWNER(7));
#ifndef HAND_BACK_WITHOUT_AGAIN
        word = word | AGAIN
#endif
    }
    if
    :: waiters -> WAKE_AFTER_RELEASE(me)
    :: else
    fi;
    waiters = false
}

/*
 * A plain store: a WAITERS that is set between the load and the store is lost, so all are woken
 * whatever was seen. The locked section ends with the store; the bookkeeping says so before it is
 * visible, which no one can tell.
 */
inline lock_word_retire(me)
{
#ifdef RETIRE_WAKES_WHOM_IT_SAW
    waiters = (word & WAITERS) != 0;
#endif
    atomic {
        ROOM(me);
        leave(me);
        store(me, RETIRED, 0)
    }
    atomic {
        DRAINED(me);
#ifdef RETIRE_WAKES_WHOM_IT_SAW
        if
        :: waiters -> lock_futex = 0
        :: else
        fi;
        waiters = false
#elif !defined(RETIRE_WAKES_NOBODY)
        lock_futex = 0
#endif
    }
}

/* Needs the local `bool mine`. */
inline lock_word_try_from_lcore()
{
    atomic {
        DRAINED(LCORE);
        mine = !(word & LOCK);
        if
        :: mine -> enter(LCORE);
           word = word | LOCK | AGAIN
        :: else ->
#ifdef NO_AGAIN
           skip
#else
           word = word | AGAIN
#endif
        fi
    }
}

/* Needs the local `bool waiters`, which becomes what the function returns. */
inline lock_word_release_from_lcore(more)
{
    atomic {
        DRAINED(LCORE);
        waiters = (word & WAITERS) != 0;
        leave(LCORE);
        word = word & ~(LOCK | WAITERS);
#ifdef LCORE_NEVER_LEAVES_AGAIN
        word = word & ~AGAIN
#else
        if
        :: !more -> word = word & ~AGAIN
        :: else
        fi
#endif
    }
}
