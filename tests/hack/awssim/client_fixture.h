/* A client of its own for each test, in a world that is as it was written. */
#ifndef TESTS_AWSSIM_CLIENT_FIXTURE_H
#define TESTS_AWSSIM_CLIENT_FIXTURE_H

#include "tests/testing/awssim_client.h"

static struct awssim_client client;
static const char *client_world;

static inline int client_set_up(void **state UNUSED)
{
    awssim_client_init(&client, client_world);
    return 0;
}

static inline int client_tear_down(void **state UNUSED)
{
    awssim_client_done(&client);
    return 0;
}

/* A list that is empty as yet, of tests in that world. */
static inline struct tests tests_in(const char *world)
{
    client_world = world;
    return (struct tests){.set_up = client_set_up, .tear_down = client_tear_down};
}

#endif
