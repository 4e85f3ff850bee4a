/* completion.c: a completion script for bash, from the command table and the option tables. */
#include "cli.h"
#include <string.h>

static void print_options(FILE *f, const struct argp *argp) {
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++) {
        if (o->flags & OPTION_HIDDEN)
            continue;
        if (o->key > 32 && o->key < 127)
            fprintf(f, " -%c", o->key);
        if (o->name)
            fprintf(f, " --%s", o->name);
    }
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        print_options(f, c->argp);
}

/* " --kv-type) values=..." for options that take one of a few words, "f16|f32|q8_0". */
static void print_choices(FILE *f, const struct argp *argp) {
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++) {
        if (!o->name || !o->arg || !strchr(o->arg, '|'))
            continue;
        fprintf(f, " --%s) values=\"", o->name);
        for (const char *c = o->arg; *c; c++)
            fputc(*c == '|' ? ' ' : *c, f);
        fputs("\" ;;", f);
    }
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        print_choices(f, c->argp);
}

static bool is_child_of(const sz_command *c, const char *word) {
    size_t n = strlen(word);
    return strncmp(c->tree, word, n) == 0 && c->tree[n] == ' ' && c->tree[n + 1] != '-';
}

static void print_words(FILE *f) {
    for (const sz_command *c = sz_commands; c->name; c++)
        fprintf(f, " %s", c->name);
    for (const sz_branch *b = sz_branches; b->word; b++)
        fprintf(f, " %s", b->word);
    fputs(" help --help --version --man --completion", f);
}

static void print_branches(FILE *f) {
    for (const sz_branch *b = sz_branches; b->word; b++) {
        fprintf(f, "    %s) words=\"", b->word);
        for (const sz_command *c = sz_commands; c->name; c++)
            if (is_child_of(c, b->word))
                fprintf(f, "%s ", strchr(c->tree, ' ') + 1);
        fputs("\" ;;\n", f);
    }
}

/* "model pull" is completed like "pull". */
static void print_pattern(FILE *f, const sz_command *c) {
    fprintf(f, "    %s", c->name);
    const char *space = strchr(c->tree, ' ');
    if (space && space[1] != '-')
        fprintf(f, "|\"%s\"", c->tree);
    fputc(')', f);
}

void sz_print_completion(FILE *f) {
    fputs("# bash completion for szilard; load it with: source <(szilard --completion bash)\n"
          "_szilard() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words= "
          "values=\n"
          "    local command=${COMP_WORDS[1]} first=2\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W \"",
          f);
    print_words(f);
    fputs("\" -- \"$word\"))\n        return\n    fi\n"
          "    case $command in\n",
          f);
    print_branches(f);
    fputs("    esac\n"
          "    if [[ $words ]]; then\n"
          "        if ((COMP_CWORD == 2)); then\n"
          "            COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "            return\n"
          "        fi\n"
          "        command=\"$command ${COMP_WORDS[2]}\" first=3\n"
          "    fi\n"
          "    words=\n"
          "    case $command in\n",
          f);
    for (const sz_command *c = sz_commands; c->name; c++) {
        print_pattern(f, c);
        fputs(" words=\"--help", f);
        print_options(f, c->argp);
        fputs("\"\n        case $before in", f);
        print_choices(f, c->argp);
        fputs(" esac ;;\n", f);
    }
    fputs("    esac\n"
          "    if [[ $values ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
          "    elif [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    elif [[ $before == -m || $before == --model || $COMP_CWORD == \"$first\" ]]; then\n"
          "        COMPREPLY=($(compgen -f -W \"$(szilard list --names 2>/dev/null)\" -- "
          "\"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _szilard szilard\n",
          f);
}
