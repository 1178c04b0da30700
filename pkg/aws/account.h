/* The inside of an account, for client.c. */
#ifndef AWS_ACCOUNT_H
#define AWS_ACCOUNT_H

#include "pkg/aws/actors.h"
#include "pkg/aws/observer.h"
#include "pkg/aws/session.h"

struct aws_session *aws_account_session(struct aws_account *account);
struct actors *aws_account_actors(struct aws_account *account); /* NULL: no role is assumed */
struct observer *aws_account_observer(struct aws_account *account);

#endif
