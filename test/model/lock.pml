/*
 * The lock and the work that it guards, for Spin. A step has the name of the shell function whose work it does
 * (src/remote/fence.sh, lease.sh, keeper.sh, job.sh) and calls what that one calls; model.test.ts compares the two.
 *
 * Clients of three runs want the same work done: two steps, old -> half -> new, each fenced and detached. The last
 * client can be a later attempt of the first one's run, which starts while the first attempt still lives. A client
 * crashes or is cancelled, work is killed (all of it, or its keeper alone) or ended for its time, a start is given up
 * and arrives late, a claim runs out although its holder lives (it stalled, or the clock jumped), a person forces the
 * lock: each so many times, at any moment. Whoever ends early is started again.
 *
 * Assumed: statements that are not in one d_step may have any stall between them, also the fence and the act that it
 * guards. Time is not counted: a claim is fresh or it is not. A clock set back only makes a claim stale later. Steps are
 * done wholly or not at all. Work that outlives its process group (inside a container) is not here.
 *
 * Only the newest claim is looked at by anybody, so only its files are here: done, bye, and beat as fresh.
 *
 * Outside the model, because they only read, speak, tidy or wait:
 * outside: lease_clock lease_number lease_say lease_read lease_sweep work_about work_note work_tell work_uptime
 * outside: work_settle work_prune job_rest
 */
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef JUMPS
#define JUMPS 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef FORCES
#define FORCES 0
#endif
#ifndef RERUN
#define RERUN 0
#endif
#ifndef UNDO
#define UNDO 0 /* whether who finds the work half done may undo it, instead of finishing it */
#endif
#ifndef STEPS
#define STEPS 2 /* with 1 the first one was done before */
#endif
#define SLOTS 3 /* folders at once: one more start waits */
#define OLD 0
#define HALF 1
#define NEW 2

/* Of work: no folder, or one that nobody will look at again; a folder; its keeper and script live; the script alone;
 * exit code 0; exit code 79; another one; neither lives and there is no code; it will never run. */
mtype = { NONE, BEGUN, ALIVE, ORPHAN, ENDED, REFUSED, STOPPED, CUT, UNSTARTED }
/* What a look says. */
mtype = { FREE, HELD, STALE, RUNNING, LEFT }

byte top, owner
bool done, bye, fresh
mtype work[SLOTS] = NONE
byte claim[SLOTS], step[SLOTS]
byte data = 2 - STEPS
/* Nobody sees these: who is inside the act, whether the newest claim was ever stale, whose client or work lives. */
bool stale, alive
byte users[SLOTS]
byte inside, ended, working, crashes, jumps, kills, forces

inline lease_top() { lease_n = top }

inline lease_held(n) {
  lease_top();
  held = (lease_n == n && !done)
}

inline lease_look() {
  lease_top();
  lease_state = (lease_n == 0 || done -> FREE : (fresh -> HELD : STALE))
}

inline lease_link(passing) {
  atomic {
#ifdef RENAME_STEAL
    lease_m = top + 1; /* mkdir and mv: what is moved away is the lock of now, not the one that was looked at */
#else
    lease_m = lease_n + 1;
#endif
    mine = 0;
    if
    :: top < lease_m ->
       assert(top == 0 || done || stale || passing); /* never a claim that did not run out, unless its run hands it on */
       assert(lease_m < 255);
       d_step {
         top = lease_m; owner = me; mine = lease_m;
         done = false; bye = false; fresh = true; stale = false; alive = true; working = 0
       }
    :: else
    fi;
    lease_top();
    assert(mine == 0 || lease_n == mine);
    lease_m = 0
  }
}

inline lease_claim() {
  d_step { lease_look() };
  if
  :: lease_state != HELD -> lease_link(false)
  :: else
  fi
}

inline lease_pass(n) {
  d_step { lease_look() };
  if
#ifdef SAME_NUMBER
  :: lease_n == n && !done -> atomic { mine = n; owner = me; alive = true }
  :: false -> lease_link(true)
#else
  :: lease_n == n -> lease_link(true)
#endif
  :: else
  fi
}

inline lease_renew(n) {
  d_step {
    lease_held(n);
    if
    :: held -> fresh = true
    :: else
    fi
  }
}

inline lease_release(n) {
  d_step {
    lease_held(n);
    if
    :: held -> bye = true
    :: else
    fi
  };
  if
  :: held ->
     d_step { work_of_lease(n) };
     if
     :: !busy ->
        d_step {
          if
          :: top == n -> done = true
          :: else
          fi
        }
     :: else
     fi
  :: else
  fi
}

inline lease_force(n) {
  lease_held(n);
  if
  :: held -> done = true
  :: else
  fi
}

inline work_alive(w) { yes = (work[w] == ALIVE) }

inline work_left(w) {
#ifdef NO_LEFT
  yes = false
#else
  yes = (work[w] == ORPHAN)
#endif
}

/* A start that has not come to its pid yet is waited for a minute, and that may be over: it counts as unstarted. */
inline work_state(w) {
  if
  :: work[w] == ENDED || work[w] == REFUSED || work[w] == STOPPED -> state = ENDED
  :: else ->
     state = UNSTARTED;
     if
     :: work[w] == ALIVE || work[w] == ORPHAN || work[w] == CUT ->
        state = RUNNING;
        work_alive(w);
        if
        :: !yes ->
           work_left(w);
           if
           :: !yes -> state = CUT
           :: else
           fi
        :: else
        fi
     :: else
     fi
  fi
}

inline work_of_lease(n) {
  busy = false; i = 0;
  do
  :: i < SLOTS ->
     if
     :: claim[i] == n && work[i] != NONE ->
        work_state(i);
        if
        :: state == RUNNING -> busy = true
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* What settleWork waits for: that nobody's work is alive. */
inline work_list() {
  i = 0;
  do
  :: atomic {
       i < SLOTS -> work_state(i);
       if
       :: state == RUNNING -> (work[i] != ALIVE && work[i] != ORPHAN)
       :: else -> state = 0; i++
       fi
     }
  :: atomic { i == SLOTS -> i = 0; state = 0; break }
  od
}

/* Sets state when the work was cut, or when it did not start in time and this claims that it never will. */
inline work_lost(w) {
  if
  :: work[w] == BEGUN && crashes < CRASHES -> crashes++; work[w] = UNSTARTED; state = UNSTARTED
  :: work[w] == ORPHAN || work[w] == CUT ->
     work_alive(w);
     if
     :: !yes ->
        work_left(w);
        if
        :: !yes -> state = CUT
        :: else
        fi
     :: else
     fi
  :: else
  fi
}

/* A folder that neither its job nor a follower will look at again is as good as none. */
inline leave(w) {
  users[w]--;
  if
  :: users[w] == 0 -> work[w] = NONE; claim[w] = 0; step[w] = 0
  :: else
  fi
}

inline work_follow(w) {
  state = RUNNING;
  do
  :: work[w] == ENDED || work[w] == REFUSED || work[w] == STOPPED -> state = work[w]; break
  :: atomic { work[w] == BEGUN && crashes < CRASHES -> work_lost(w) }; break
  :: atomic { work[w] == CUT -> work_lost(w) }; break
#ifdef NO_LEFT
  :: atomic { work[w] == ORPHAN -> work_lost(w) }; break
#endif
  :: crashes < CRASHES -> crashes++; state = LEFT; break
  od;
  atomic {
    leave(w)
  }
}

inline work_start(n, next) {
  atomic {
    if
    :: work[0] == NONE -> w = 0
    :: else ->
       if
       :: work[1] == NONE -> w = 1
       :: work[1] != NONE && work[2] == NONE -> w = 2
       fi
    fi;
    claim[w] = n; step[w] = next; users[w] = 2; work[w] = BEGUN;
    if
    :: top == n -> working++
    :: else
    fi
  };
  work_follow(w);
  w = 0
}

/* The group ends at once. Who is killed inside the act is not inside any more. */
inline kill_group(w, end) {
  d_step {
    if
    :: acting -> acting = false; inside--
    :: else
    fi;
    work[w] = end;
    killed = true
  }
}

inline work_stop(w) {
  work_alive(w);
  if
  :: yes -> kill_group(w, STOPPED)
  :: else
  fi
}

/* What runs beside the work, at any moment of it: renews the lease, ends the work for its time, and what is left of it
 * when its keeper was killed. After it, releases the lease if its holder has asked for that. */
inline job_watch(n, w, over) {
  if
  :: over ->
     yes = false; state = 0;
     if
     :: top == n && bye -> lease_release(n)
     :: else
     fi
  :: !over ->
     if
     :: atomic { top == n && !fresh && !done && work[w] == ALIVE -> work_alive(w); lease_renew(n) }
     :: atomic { kills < KILLS && work[w] == ALIVE -> kills++; work_stop(w) }
     :: atomic { work[w] == ORPHAN -> kill_group(w, CUT) }
     :: true
     fi
  fi
}

/* Lease.fence, the first thing in every script. */
inline fence() {
#ifdef NO_FENCE
  held = true
#else
  d_step { lease_held(n) }
#endif
}

/* Work is killed from outside: the whole group, or its keeper alone. */
#define KILL if \
  :: atomic { kills < KILLS && work[w] == ALIVE -> kills++; kill_group(w, CUT) } \
  :: atomic { kills < KILLS && work[w] == ALIVE -> kills++; work[w] = ORPHAN } \
  :: job_watch(n, w, false) fi

/* One for each folder, waiting for it to be made. */
proctype job_run(byte w) {
  byte n, lease_n, i;
  mtype state;
  bool held, busy, yes, acting, killed;
end:
  atomic {
    work[w] == BEGUN || (work[w] == UNSTARTED && users[w] == 1) -> n = claim[w];
    if
    :: work[w] == BEGUN -> work[w] = ALIVE
    :: else -> goto gone /* given up: somebody else may have started it again */
    fi
  };
  { KILL;
    fence();
    if
    :: held ->
       atomic { inside++; acting = true; assert(inside == 1) };
       KILL;
       atomic { data = step[w]; inside--; acting = false }
    :: else
    fi;
    KILL;
    atomic {
      if
      :: work[w] == ALIVE && held -> work[w] = ENDED
      :: work[w] == ALIVE && !held -> work[w] = REFUSED
      :: else -> work[w] = CUT
      fi
    }
  } unless { killed };
  job_watch(n, w, true);
gone:
  atomic {
    leave(w);
    if
    :: top == n -> working--
    :: else
    fi;
    n = 0; lease_n = 0; i = 0; state = 0; held = false; busy = false; yes = false; killed = false;
    (users[w] != 1 || work[w] == BEGUN || work[w] == UNSTARTED) -> goto end
  }
}

#define CRASH if :: atomic { crashes < CRASHES -> crashes++; goto again } :: true fi
#define RESULT if \
  :: state == LEFT -> CRASH; lease_release(mine); goto again \
  :: state == REFUSED -> goto again \
  :: state == CUT || state == STOPPED || state == UNSTARTED -> lease_release(mine); goto again \
  :: state == ENDED fi

proctype client(byte me) {
  byte lease_n, lease_m, mine, i, w, next;
  mtype lease_state, state;
  bool held, busy, yes;
again:
  atomic {
    if
    :: mine != 0 && top == mine -> alive = false
    :: else
    fi;
    mine = 0; held = false; busy = false; yes = false; state = 0; w = 0; i = 0; next = 0
  };
  lease_claim();
  if
  :: RERUN && mine == 0 && me == CLIENTS - 1 && owner == 0 && lease_n != 0 -> lease_pass(lease_n)
  :: else
  fi;
  if
  :: mine == 0 -> lease_state = 0; (top != lease_n || done || !fresh); lease_n = 0; goto again
  :: else
  fi;
  lease_state = 0; lease_n = 0;
  CRASH;
#ifndef NO_SETTLE
  work_list();
#endif
  if
  :: top == mine && !fresh -> lease_renew(mine)
  :: true
  fi;
  if
  :: data == HALF -> next = NEW; goto second
  :: UNDO && data == HALF -> next = OLD; goto second
  :: data == NEW -> goto out
  :: data == OLD -> next = HALF
  fi;
  work_start(mine, next);
  RESULT;
  next = NEW;
second:
  work_start(mine, next);
  RESULT;
out:
  CRASH;
  lease_release(mine);
  d_step {
    if
    :: top == mine -> alive = false
    :: else
    fi
  };
  ended++
}

/* A claim runs out when nobody renews it any more; now and then although its holder lives. */
proctype clock() {
  do
  :: d_step { top != 0 && fresh && !done && !alive && working == 0 -> fresh = false; stale = true }
  :: d_step { top != 0 && fresh && !done && jumps < JUMPS -> jumps++; fresh = false; stale = true }
  :: ended == CLIENTS -> break
  od
}

/* A person who releases the lock of whoever holds it. */
proctype person() {
  byte lease_n;
  bool held;
  do
  :: atomic { forces < FORCES && top != 0 && !done -> forces++; lease_force(top) }
  :: ended == CLIENTS -> break
  od
}

init {
  byte i;
  atomic {
    do
    :: i < CLIENTS -> run client(i); i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < SLOTS -> run job_run(i); i++
    :: else -> break
    od;
    run clock();
    run person()
  };
  (ended == CLIENTS);
  assert(data != HALF && inside == 0)
}
