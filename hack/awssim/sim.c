#include "hack/awssim/events.h"
#include "pkg/base/digest.h"

struct err *awssim_new(const struct sim_options *options, struct sim **ret_sim)
{
    struct sim *sim = xcalloc(1, sizeof(*sim));

    sim->now_ms = options->world_ms;
    sim->seed = options->seed;
    sim->lost_events = 0.01;
    sim->duplicated_events = 0.02;
    sim->random = random_seeded_new(options->seed);
    struct err *err = sim_world_load(sim, options);
    if (err) {
        awssim_free(sim);
        return err;
    }
    sim_advance(sim, options->world_ms);
    *ret_sim = sim;
    return NULL;
}

static void account_free(struct account *account)
{
    for (size_t i = 0; i < service_count; i++) {
        if (services[i]->done && account->states[i])
            services[i]->done(account);
        xfree(account->states[i]);
    }
    xfree(account->states);
    xfree(account->id);
    xfree(account->region);
    xfree(account->partition);
    xfree(account->name);
    xfree(account);
}

void awssim_free(struct sim *sim)
{
    if (!sim)
        return;
    for (size_t i = 0; i < sim->account_count; i++)
        account_free(sim->accounts[i]);
    xfree(sim->accounts);
    sim_bookkeeping_done(sim);
    sim_limits_done(sim);
    xfree(sim->durations.items);
    xfree(sim->organization);
    random_free(sim->random);
    xfree(sim);
}

/* ---- accounts and names ---- */

static size_t service_index(const struct service *service)
{
    for (size_t i = 0; i < service_count; i++)
        if (services[i] == service)
            return i;
    fprintf(stderr, "awssim: the service %s is not in services.c\n", service->name);
    abort();
}

void *account_state(const struct account *account, const struct service *service)
{
    return account->states[service_index(service)];
}

const struct service *sim_service_find(const char *name)
{
    for (size_t i = 0; i < service_count; i++)
        if (text_equal(services[i]->name, name))
            return services[i];
    return NULL;
}

struct account *sim_account(const struct sim *sim, const char *id, const char *region)
{
    for (size_t i = 0; i < sim->account_count; i++)
        if (text_equal(sim->accounts[i]->id, id) && (!region || text_equal(sim->accounts[i]->region, region)))
            return sim->accounts[i];
    return NULL;
}

size_t sim_account_count(const struct sim *sim)
{
    return sim->account_count;
}

struct account *sim_account_at(const struct sim *sim, size_t index)
{
    return sim->accounts[index];
}

char *account_arn(const struct account *account, const char *service, const char *resource_fmt, ...)
{
    va_list args;

    va_start(args, resource_fmt);
    AUTO_FREE char *resource = xvasprintf(resource_fmt, args);
    va_end(args);
    return xasprintf("arn:%s:%s:%s:%s:%s", account->partition, service, account->region, account->id,
                     resource);
}

bool sim_arn_parse(const char *text, struct arn *ret)
{
    struct str rest = str_of(text), head;
    struct arn arn = {0};

    if (!text || !str_cut(&rest, ':', &head) || !str_is(head, "arn") ||
        !str_cut(&rest, ':', &arn.partition) || !str_cut(&rest, ':', &arn.service) ||
        !str_cut(&rest, ':', &arn.region) || !str_cut(&rest, ':', &arn.account) || !rest.len)
        return false;
    arn.resource = rest;
    *ret = arn;
    return true;
}

struct account *sim_account_of_arn(const struct sim *sim, const char *text)
{
    struct arn arn;

    if (!sim_arn_parse(text, &arn))
        return NULL;
    for (size_t i = 0; i < sim->account_count; i++)
        if (str_is(arn.account, sim->accounts[i]->id) &&
            (!arn.region.len || str_is(arn.region, sim->accounts[i]->region)))
            return sim->accounts[i];
    return NULL;
}

/* ---- identifiers ---- */

uint64_t sim_random_below(struct sim *sim, uint64_t limit)
{
    return random_below(sim->random, limit);
}

struct random *sim_new_stream(const struct sim *sim, const char *name)
{
    AUTO_FREE char *text = xasprintf("%llu/%s", (unsigned long long)sim->seed, name);
    unsigned char digest[SHA256_BYTES];
    uint64_t seed = 0;

    sha256(str_of(text), digest);
    memcpy(&seed, digest, sizeof(seed));
    return random_seeded_new(seed);
}

char *sim_stream_token(struct random *stream, const char *alphabet, size_t len)
{
    size_t letters = strlen(alphabet);
    char *text = xmalloc(len + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = alphabet[random_below(stream, letters)];
    text[len] = '\0';
    return text;
}

char *sim_stream_uuid(struct random *stream)
{
    AUTO_FREE char *hex = sim_stream_token(stream, ALPHABET_HEX, 32);

    return xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *sim_new_token(struct sim *sim, const char *alphabet, size_t len)
{
    return sim_stream_token(sim->random, alphabet, len);
}

char *sim_new_uuid(struct sim *sim)
{
    return sim_stream_uuid(sim->random);
}

char *sim_new_uuid_upper(struct sim *sim)
{
    char *text = sim_new_uuid(sim);

    for (char *c = text; *c; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A');
    return text;
}

/* ---- time ---- */

int64_t sim_now(const struct sim *sim)
{
    return sim->now_ms;
}

int64_t sim_next_change(const struct sim *sim)
{
    int64_t next = NEVER_MS;

    for (size_t a = 0; a < sim->account_count; a++)
        for (size_t s = 0; s < service_count; s++) {
            int64_t at = services[s]->next_ms ? services[s]->next_ms(sim->accounts[a]) : NEVER_MS;

            if (at < next)
                next = at;
        }
    return next;
}

static void advance_all(struct sim *sim)
{
    for (size_t s = 0; s < service_count; s++)
        for (size_t a = 0; services[s]->advance && a < sim->account_count; a++)
            services[s]->advance(sim->accounts[a]);
}

void sim_advance(struct sim *sim, int64_t now_ms)
{
    /* A change that does not move its service on would be offered for ever; the cap turns that bug into an
     * end. */
    for (int steps = 0; steps < 1000000; steps++) {
        int64_t next = sim_next_change(sim);

        if (next > now_ms)
            break;
        if (next > sim->now_ms)
            sim->now_ms = next;
        advance_all(sim);
    }
    if (now_ms > sim->now_ms)
        sim->now_ms = now_ms;
    advance_all(sim);
}

/* ---- those who wait ---- */

void awssim_watch(struct sim *sim, struct sim_watch *watch)
{
    watch->next = sim->watches;
    sim->watches = watch;
}

void awssim_unwatch(struct sim *sim, struct sim_watch *watch)
{
    struct sim_watch **at = &sim->watches;

    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at)
        *at = watch->next;
}

void sim_tell(struct sim *sim)
{
    sim->news = true;
}

/* ---- events ---- */

void sim_emit(struct account *account, const struct sim_event *event)
{
    struct sim_event_kept *kept = LIST_ADD(account->sim->events);

    *kept = (struct sim_event_kept){.account = xstrdup(account->id),
                                    .region = xstrdup(account->region),
                                    .source = xstrdup(event->source),
                                    .detail_type = xstrdup(event->detail_type),
                                    .resource = xstrdup_or_null(event->resource),
                                    .time_ms = event->time_ms,
                                    .detail = event->detail};
    sim_events_publish(account, event);
}
