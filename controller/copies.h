/* status.copies from one run to the next: which copy staging uses, which it did before, which were made in
 * vain, and which of them are to go. Nothing here calls anybody. */
#ifndef CONTROLLER_COPIES_H
#define CONTROLLER_COPIES_H

#include "controller/leftovers.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/status.h"

/* The run's changes have come to their end. What it has switched to is in use and what was in use before is
 * previous; what was made in vain has failed. What is being removed stays so, and what is in use of a
 * database that the run does not carry. May be called again. */
void copies_book(struct refresh_status *status, bool succeeded);

/* A restore that was given up while its job went on will still make its copy: it is booked as a failed one,
 * under the ARN it will have. */
void copies_book_unseen(struct refresh_status *status, const struct refresh_spec *spec,
                        const struct account *target);

/* What a copy is of and what it is called by: the same for copies that follow one another. Borrowed. */
struct copy_line {
    enum database_kind kind;
    const char *resource, *prefix; /* the cluster or table of the source; NULL: not known */
};
struct copy_line copies_line_of(const struct database_spec *database); /* may be NULL */

/* Another object of the series. */
struct copies_owner {
    const struct refresh_status *status;
    const struct refresh_spec *spec;
    const struct refresh_spec *frozen; /* of its last run; NULL: there was none */
};

/* Takes over what another object of the series has made and this one does not know, of databases that both
 * carry from the same source under the same prefix: with generateName every run is an object of its own.
 * After a run that failed only what is of no use is taken over. Where the other writes parameters and this
 * one does not is remembered with each copy that both know of. */
void copies_adopt(struct refresh_status *status, const struct refresh_spec *spec,
                  const struct copies_owner *other, bool succeeded);

/* Likewise what an object that has gone has left, and nobody knew of any more; after a run that succeeded. */
void copies_adopt_kept(struct refresh_status *status, const struct refresh_spec *spec,
                       const struct leftover *item);
bool copies_are_known(const struct refresh_status *status, const char *arn);

/* A later run of the series, another object's, has switched staging over: what it has put something else in
 * the place of was in use before. Of the databases that copies_adopt() is about. */
void copies_hand_over(struct refresh_status *status, const struct refresh_spec *spec,
                      const struct refresh_status *later, const struct refresh_spec *later_spec);

/* Whether the copy is another object's business by now: it has it on its list, or has come to use a younger
 * one of the database and has let this one go. */
bool copies_are_taken_over(const struct copy_status *copy, const struct refresh_spec *spec,
                           const struct refresh_status *other, const struct refresh_spec *other_spec);

/* Marks what is beyond the numbers, per database, the newest being kept. Copies of `kept_run` (NULL: none)
 * stay and do not count: a run that failed can be retried with them. */
void copies_mark(struct refresh_status *status, const struct retention *keep, const char *kept_run);

#endif
