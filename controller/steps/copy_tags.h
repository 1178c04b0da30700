/* The tags of a copy: ours, and those that were asked for. */
#ifndef CONTROLLER_STEPS_COPY_TAGS_H
#define CONTROLLER_STEPS_COPY_TAGS_H

#include "controller/steps/differences.h"
#include "pkg/aws/client.h"

struct copy_tags {
    struct aws_pair *items; /* texts are borrowed from the stage, `more` and `series` */
    size_t count;
    char *series;
};
/* `more` must outlive it. */
struct copy_tags copy_tags_new(const struct stage *stage, const struct name_value *more, size_t count);
void copy_tags_done(struct copy_tags *tags);
#define AUTO_COPY_TAGS CLEANUP(copy_tags_done)

/* Adds those of another copy that are not named yet; borrows them. Ours and AWS's own stay out. */
void copy_tags_follow(struct copy_tags *tags, const struct aws_tags *model);
/* One of them is not there, or has another value. */
bool copy_tags_lack(const struct copy_tags *tags, const struct aws_tags *there);
/* A remark for each tag that is not the same on both. */
void copy_tags_compare(const struct aws_tags *is, const struct aws_tags *in_use, struct findings *findings);

#endif
