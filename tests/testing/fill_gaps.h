/* Texts with gaps, as worlds are. */
#ifndef TESTING_FILL_GAPS_H
#define TESTING_FILL_GAPS_H

/* The text with the next of the parts in place of each %s; yours. There are as many as gaps. */
char *fill_gaps(const char *text, const char *const *parts);

#endif
