#include "pkg/aws/traffic.h"

#include "pkg/base/lock.h"
#include "pkg/base/str.h"

struct known_lane {
    char *account_id; /* NULL: the controller's own identity */
    char *region;
    struct aws_lane lane;
    struct known_lane *next;
};

struct aws_traffic {
    struct aws_listener listener; /* immutable */
    pthread_mutex_t lock;
    struct known_lane *lanes; /* lock; only ever added to */
};

struct aws_traffic *aws_traffic_new(const struct aws_listener *listener)
{
    struct aws_traffic *traffic = xcalloc(1, sizeof(*traffic));

    pthread_mutex_init(&traffic->lock, NULL);
    if (listener)
        traffic->listener = *listener;
    return traffic;
}

void aws_traffic_free(struct aws_traffic *traffic)
{
    if (!traffic)
        return;
    while (traffic->lanes) {
        struct known_lane *known = traffic->lanes;

        traffic->lanes = known->next;
        pthread_mutex_destroy(&known->lane.limiter.lock);
        xfree(known->account_id);
        xfree(known->region);
        xfree(known);
    }
    pthread_mutex_destroy(&traffic->lock);
    xfree(traffic);
}

struct aws_lane *aws_traffic_lane(struct aws_traffic *traffic, const char *account_id, const char *region)
{
    LOCK_SCOPE(&traffic->lock);
    struct known_lane *known;

    for (known = traffic->lanes; known; known = known->next) {
        if (text_equal(known->account_id, account_id) && text_equal(known->region, region))
            return &known->lane;
    }
    known = xcalloc(1, sizeof(*known));
    known->account_id = xstrdup_or_null(account_id);
    known->region = xstrdup_or_null(region);
    known->lane = AWS_LANE_INIT;
    known->next = traffic->lanes;
    traffic->lanes = known;
    return &known->lane;
}

void aws_traffic_tell_call(struct aws_traffic *traffic, const struct aws_call_seen *call)
{
    if (traffic && traffic->listener.on_call)
        traffic->listener.on_call(traffic->listener.arg, call);
}

void aws_traffic_tell_credentials(struct aws_traffic *traffic, const struct aws_credentials_seen *credentials)
{
    if (traffic && traffic->listener.on_credentials)
        traffic->listener.on_credentials(traffic->listener.arg, credentials);
}
