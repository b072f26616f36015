/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The lock word alone, with more clients than receive.pml has room for: who waits for LOCK is
 * woken, and a handle of an earlier life never takes it.
 *
 *   model     code (names as in lock_word.h)
 *   caller    any WSP call: lock_word_acquire(), lock_word_release() or _hand_back()
 *   closer    WSPCloseSocket: lock_word_acquire(), lock_word_retire(), the close command; then
 *             WSPSocket that gets the same slot, and a call on the new handle
 *   lcore     attempts at any moment, as after a burst; its ready-list pass (R2); the commands
 *
 * WAITING: three callers and the lcore. HANDLES: a closer, a second closer and callers with the old
 * and the new handle. What is checked: LOCK excludes; the generation is the caller's; no thread
 * waits for itself and a holder can see that it is one (LOCK_OWN_THREAD); when nothing can move any
 * more, everybody has finished and the word is clear.
 */

#ifdef WAITING
#define CLIENTS 3
#define ATTEMPTS 2 /* of the lcore */
#else
#define CLIENTS 4
#define ATTEMPTS 1
#endif
#include "lock_word.pml"


#define NONE 0
#define CLOSE 1
#define OPEN 2
byte command;
byte life = 1; /* the generation that a new handle carries */
bool ready;    /* private to the lcore */

#define CLIENT_LOCALS                                                                              \
    byte seen, found;                                                                              \
    bool slept, released, waiters

/* What LOCK_OWN_THREAD rests on: a signal handler that interrupts the holder sees its own tid. */
inline check_owner(me)
{
    assert((word & LOCK) && OWNER_OF(word) == me)
}

inline release_or_hand_back(me)
{
    do
    :: lock_word_release(me);
       if
       :: released -> break
       :: !released
       :: !released -> lock_word_hand_back(me);
          break
       fi
    od;
    released = false
}

proctype caller(byte me; byte generation)
{
    CLIENT_LOCALS;

    life >= generation;
    lock_word_acquire(me, generation);
    if
    :: found == STALE -> assert(GENERATION(word) != generation)
    :: else ->
       check_owner(me);
       release_or_hand_back(me)
    fi
}

proctype closer(byte me; bool calls)
{
    CLIENT_LOCALS;

    lock_word_acquire(me, 1);
    if
    :: found == STALE
    :: else ->
       check_owner(me);
       lock_word_retire(me);
       command = CLOSE;
#ifndef OPENS_UNANSWERED
       command == NONE;
#endif
       atomic {
           assert(LOW(word) == 0); /* so opening may be a plain store */
           word = WORD(GENERATION(word) + 1);
           life = GENERATION(word)
       }
       command = OPEN;
       command == NONE;
       if
       :: calls -> lock_word_acquire(me, 3);
          assert(found == ACQUIRED);
          check_owner(me);
          release_or_hand_back(me)
       :: else
       fi
    fi
}

proctype lcore()
{
    byte attempts;
    bool open = true, mine, waiters;

end_polling:
    do
    :: open && attempts < ATTEMPTS -> attempts++;
       goto attempt
    :: atomic { ready && !(word & LOCK) -> ready = (word & AGAIN) != 0 }
       if
       :: ready -> goto attempt
       :: else
       fi
    :: atomic { command == CLOSE -> open = false; ready = false; command = NONE }
    :: atomic { command == OPEN -> open = true; command = NONE }
    od;

attempt:
    lock_word_try_from_lcore();
    if
    :: mine ->
       mine = false;
       lock_word_release_from_lcore(false);
       ready = false;
       if
       :: waiters ->
          waiters = false;
#ifndef NO_LCORE_WAITERS_WAKE
          lock_word_wake_waiter(LCORE)
#endif
       :: else
       fi
    :: else -> ready = true
    fi;
    goto end_polling
}

init
{
    atomic {
        run memory();
        run lcore();
#ifdef WAITING
        run caller(1, 1);
        run caller(2, 1);
        run caller(3, 1)
#else
        run closer(1, true);
        run caller(2, 1);
        run caller(3, 3);
        run closer(4, false)
#endif
    }
    timeout;
    d_step {
        assert(inside == 0);
        assert(LOW(word) == 0);
        assert(lock_futex == 0);
        assert(!ready)
    }
}
