/* Who uses a copy: a proxy of the account, whoever's it is, or the value of a parameter: of the object
 * itself, of any other object of its series, or of one that the copy was taken over from. Read as it is now:
 * ask right before each deletion. */
#ifndef CONTROLLER_USERS_H
#define CONTROLLER_USERS_H

#include "controller/removal.h"

/* *ret_user: "proxy shop-stg points at it", yours; stays NULL when nobody does. */
struct err *users_find(const struct remover *by, const struct removal_copy *copy, char **ret_user) MUST_USE;

#endif
