/* dialogue.h: the messages of a conversation, or the text that is continued, and the token ids that
 * they make for a model. */
#ifndef SZ_CLI_DIALOGUE_H
#define SZ_CLI_DIALOGUE_H

#include <szilard/unstable/model.h>

typedef enum sz_role { SZ_ROLE_SYSTEM, SZ_ROLE_USER, SZ_ROLE_ASSISTANT } sz_role;
extern const char *const sz_role_names[]; /* "system", "user", "assistant", NULL */

typedef struct sz_message {
    sz_role role;
    char *text;
} sz_message;

typedef struct sz_dialogue {
    bool raw; /* no template: the texts of all messages, one after another */
    sz_message *v;
    size_t n, cap;
    const char *variables; /* JSON object of further template variables, or NULL; borrowed */
} sz_dialogue;

/* Copies n bytes of text. */
sz_status sz_dialogue_add(sz_dialogue *d, sz_role role, const char *text, size_t n);
void sz_dialogue_truncate(sz_dialogue *d, size_t n);
/* Number of messages before the latest one of the user; SIZE_MAX if there is none. */
size_t sz_dialogue_before_question(const sz_dialogue *d);
void sz_dialogue_free(sz_dialogue *d);
/* The system message: set, replaced, or with NULL removed. */
sz_status sz_dialogue_set_system(sz_dialogue *d, const char *text);
const char *sz_dialogue_system(const sz_dialogue *d); /* NULL if there is none */

/* Removes the oldest turn after the system message, a question with its answer; in a raw text the
 * older half, at the end of a line or word where there is one. False if nothing older than the
 * latest question is left. */
bool sz_dialogue_drop_oldest(sz_dialogue *d);

/* The prompt for the next answer. *ids: sz_free. *in_thought: it has opened a thought. */
sz_status sz_dialogue_ids(const sz_dialogue *d, const sz_model *model, int32_t **ids, size_t *n,
                          bool *in_thought);
/* [{"role":...,"content":...}, ...] */
void sz_dialogue_json(const sz_dialogue *d, sz_buf *b);
/* Replaces the messages by those of a JSON array. */
sz_status sz_dialogue_parse(sz_dialogue *d, const char *json, size_t n);

#endif
