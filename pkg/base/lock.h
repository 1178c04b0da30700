/* Mutexes for short sections inside one module; never held across a park, a callback or I/O. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>

static inline void auto_unlock(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}

static inline pthread_mutex_t *lock_taken(pthread_mutex_t *lock)
{
    pthread_mutex_lock(lock);
    return lock;
}

/* LOCK_SCOPE(&queue->lock); released at the end of the scope. */
#define LOCK_SCOPE(lock) LOCK_SCOPE_AT(lock, __LINE__)
#define LOCK_SCOPE_AT(lock, line) LOCK_SCOPE_NAMED(lock, line)
#define LOCK_SCOPE_NAMED(lock, line) \
    pthread_mutex_t *scope_lock_##line __attribute__((cleanup(auto_unlock), unused)) = lock_taken(lock)

#endif
