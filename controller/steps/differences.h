/* How a copy differs from what was asked for, and from the copy that staging uses now.
 *
 * What is looked at is a table of properties per kind of thing (cluster_properties.c, table_properties.c). A
 * property is a text on every side: in the spec, in the copy, in the model from which the spec takes what it
 * leaves open, in the copy in use. So one engine compares them all, puts right what can be put right, and
 * makes sentences of the rest: differences from what was asked for, and remarks. */
#ifndef CONTROLLER_STEPS_DIFFERENCES_H
#define CONTROLLER_STEPS_DIFFERENCES_H

#include "controller/pass.h"

#define DIFFERENCES_MAX 900
#define DIFFERENCES_EVIDENCE "differences"
#define REMARKS_EVIDENCE "remarks"

/* What the rows of a table read: each pointer is to the facts that the table is made for. NULL: not there. */
struct sides {
    struct stage *stage;
    const void *part;    /* of the spec, where a table is for a part of it: an instance */
    const char *kms_key; /* the key asked for, as ARN of a key; NULL: none is asked for */
    const void *is;      /* the copy */
    const void *model;   /* what counts where the spec is silent */
    const void *in_use;  /* the copy that staging uses now */
    const char *whose;   /* how sentences begin: "instance a's"; NULL: "its" */
};

struct property {
    const char *name; /* as in sentences: "backup retention"; unique */
    /* Texts are the caller's; NULL says nothing. */
    char *(*asked)(const struct sides *sides); /* NULL: the spec cannot say */
    char *(*of)(const void *facts);
    bool follows;                               /* the model counts where the spec is silent */
    bool (*applies)(const struct sides *sides); /* NULL: always */
    /* Makes the copy so; looks at nothing but the sides. ERR_INVALID: that cannot be. NULL: nothing can. */
    struct err *(*put_right)(const struct sides *sides, const char *wanted);
};

struct property_table {
    const struct property *rows;
    size_t count;
};

/* Puts the first property right that differs from what is wanted; *ret_name is its name, NULL when nothing is
 * left to do. What AWS says cannot be, and what stays as it was after a few tries, is given up: it is a
 * difference from then on. Other errors are the caller's. */
struct err *differences_put_right(const struct property_table *table, const struct sides *sides,
                                  const char **ret_name) MUST_USE;

struct findings {
    struct buf differences, remarks;
};
#define FINDINGS                                                                     \
    {                                                                                \
        .differences = BUF_MAX(DIFFERENCES_MAX), .remarks = BUF_MAX(DIFFERENCES_MAX) \
    }
void findings_done(struct findings *findings);
#define AUTO_FINDINGS CLEANUP(findings_done)

void differences_find(const struct property_table *table, const struct sides *sides,
                      struct findings *findings);
/* A sentence for people that stops nothing. */
void differences_remark(struct findings *findings, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Writes the findings into the row. *out is DONE, or FAILED when there are differences and the spec says
 * Fail. */
void differences_settle(struct stage *stage, const struct findings *findings, struct outcome *out);

/* --- for the tables --- */

/* Sorted, "a, b"; "none" when there are none. Yours. */
char *text_join(const char *const *items, size_t count);
/* Parts of a joined text that `other` lacks: views into it. Gives how many, at most `max`. */
size_t text_parts(const char *text, const char *other, struct str *ret, size_t max);
char *text_switch(bool on); /* "on", "off"; yours */

#endif
