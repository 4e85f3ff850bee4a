/* cmd_train.c: `szilard train lm`: a language model from text. */
#include "train_run.h"
#include <stdlib.h>
#include <string.h>

enum {
    OPT_FROM = 1000,
    OPT_TOKENS,
    OPT_LAYERS,
    OPT_WIDTH,
    OPT_HEADS,
    OPT_KV_HEADS,
    OPT_FF,
    OPT_CONTEXT,
    OPT_LENGTH,
    OPT_ACCUMULATE,
    OPT_RATE,
    OPT_FLOOR,
    OPT_WARMUP,
    OPT_SCHEDULE,
    OPT_DECAY_STEPS,
    OPT_OPTIMISER,
    OPT_WEIGHT_DECAY,
    OPT_CLIP,
    OPT_EMA,
    OPT_LOSS,
    OPT_TAU,
    OPT_Z_LOSS,
    OPT_SMOOTHING,
    OPT_FILTER,
    OPT_SEED,
    OPT_HOLD_OUT,
    OPT_SAVE,
    OPT_TELL,
    OPT_VALIDATE,
    OPT_RESUME,
    OPT_NAME,
    OPT_CHECKPOINT,
    OPT_JSON
};

static const char *const words[] = {"lm", NULL};
static const char *const optimisers[] = {"sgd",  "adamw",     "adamw8", /* sz_optimiser_kind */
                                         "lion", "adafactor", "muon",   NULL};
static const char *const schedules[] = {"constant", "cosine", "linear", "wsd", NULL};
static const char *const losses[] = {"ce", "comp-sum", NULL};

typedef struct settings {
    sz_train_options o;
    int what; /* -1: not given yet */
} settings;

static const struct argp_option options[] = {
    {"output", 'o', "FOLDER", 0, "Where the run lives: checkpoint, log and the model", 1},
    {"steps", 'n', "N", 0, "Steps in all (1000)", 1},
    {"resume", OPT_RESUME, NULL, 0, "Go on with the run in the folder, to the same bits", 1},
    {"threads", 't', "N", 0, "Threads; they change speed, never a bit (measured)", 1},
    {"seed", OPT_SEED, "S", 0, "Seed of the weights and of the order of the text (0)", 1},
    {"json", OPT_JSON, NULL, 0, "Print the result as JSON, and no lines on the way", 1},
    {NULL, 0, NULL, 0, "The model:", 2},
    {"name", OPT_NAME, "NAME", 0, "Its name, in the file (Szilard language model)", 2},
    {"from", OPT_FROM, "MODEL", 0, "Go on from a GGUF file in any format, or a known name", 2},
    {"tokens", OPT_TOKENS, "MODEL", 0, "Take the vocabulary of this model (bytes)", 2},
    {"layers", OPT_LAYERS, "N", 0, "Layers (4)", 2},
    {"width", OPT_WIDTH, "N", 0, "Columns of the residual stream (128)", 2},
    {"heads", OPT_HEADS, "N", 0, "Heads of attention (4)", 2},
    {"kv-heads", OPT_KV_HEADS, "N", 0, "Heads of keys and values (as many)", 2},
    {"ff", OPT_FF, "N", 0, "Columns inside the feed-forward part (8/3 of the width)", 2},
    {"context", OPT_CONTEXT, "N", 0, "Longest sequence of the model (256)", 2},
    {NULL, 0, NULL, 0, "Steps:", 3},
    {"batch", 'b', "N", 0, "Windows of text per step (8)", 3},
    {"length", OPT_LENGTH, "N", 0, "Tokens of a window (the context, at most 256)", 3},
    {"accumulate", OPT_ACCUMULATE, "N", 0, "Rounds of a batch that make one step (1)", 3},
    {"optimiser", OPT_OPTIMISER, "NAME", 0, "sgd, adamw, adamw8, lion, adafactor, muon (adamw)", 3},
    {"rate", OPT_RATE, "R", 0, "Learning rate at its peak (1e-3)", 3},
    {"floor", OPT_FLOOR, "R", 0, "Learning rate at the end (a tenth)", 3},
    {"warmup", OPT_WARMUP, "N", 0, "Steps until the peak (a twentieth of all, at most 500)", 3},
    {"schedule", OPT_SCHEDULE, "NAME", 0, "constant, cosine, linear, wsd (cosine)", 3},
    {"decay-steps", OPT_DECAY_STEPS, "N", 0, "wsd: the last steps, that decay (a fifth)", 3},
    {"weight-decay", OPT_WEIGHT_DECAY, "W", 0, "Decoupled, of matrices (0.1)", 3},
    {"clip", OPT_CLIP, "X", 0, "Largest norm of the gradient; 0: any (1)", 3},
    {"ema", OPT_EMA, "D", 0, "Keep an average with this decay, which becomes the model", 3},
    {"recompute", OPT_CHECKPOINT, NULL, 0, "Compute layers again for their gradient: less memory",
     3},
    {NULL, 0, NULL, 0, "The loss:", 4},
    {"loss", OPT_LOSS, "NAME", 0, "ce or comp-sum (ce)", 4},
    {"tau", OPT_TAU, "T", 0, "comp-sum: 0 sum-exponential, 1 ce, 2 absolute error (1.2)", 4},
    {"z-loss", OPT_Z_LOSS, "X", 0, "Adds X times the squared log-normaliser", 4},
    {"smoothing", OPT_SMOOTHING, "S", 0, "Share of the label spread over all tokens", 4},
    {"filter", OPT_FILTER, "EPS", 0,
     "Leave out parts of the gradient below EPS, such as 0.000244; not for a first training", 4},
    {NULL, 0, NULL, 0, "Telling and keeping:", 5},
    {"hold-out", OPT_HOLD_OUT, "SHARE", 0, "Of the text, from its end, for validation (0.05)", 5},
    {"validate-every", OPT_VALIDATE, "N", 0, "Steps (only at the end)", 5},
    {"save-every", OPT_SAVE, "N", 0, "Steps between checkpoints (100)", 5},
    {"tell-every", OPT_TELL, "N", 0, "Steps between lines (10)", 5},
    {0},
};

static error_t parse_model(int key, char *arg, struct argp_state *state) {
    sz_train_options *o = &((settings *)state->input)->o;
    switch (key) {
    case OPT_FROM:
        o->from = arg;
        return 0;
    case OPT_NAME:
        o->name = arg;
        return 0;
    case OPT_TOKENS:
        o->vocabulary = arg;
        return 0;
    case OPT_LAYERS:
        o->shape.n_layer = (uint32_t)sz_cli_int(state, "--layers", arg, 1, 512);
        return 0;
    case OPT_WIDTH:
        o->shape.n_embd = (uint32_t)sz_cli_int(state, "--width", arg, 2, 16384);
        return 0;
    case OPT_HEADS:
        o->shape.n_head = (uint32_t)sz_cli_int(state, "--heads", arg, 1, 1024);
        return 0;
    case OPT_KV_HEADS:
        o->shape.n_head_kv = (uint32_t)sz_cli_int(state, "--kv-heads", arg, 1, 1024);
        return 0;
    case OPT_FF:
        o->shape.n_ff = (uint32_t)sz_cli_int(state, "--ff", arg, 1, 65536);
        return 0;
    case OPT_CONTEXT:
        o->shape.n_ctx = (uint32_t)sz_cli_int(state, "--context", arg, 2, 1 << 20);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_steps(int key, char *arg, struct argp_state *state) {
    sz_train_config *c = &((settings *)state->input)->o.config;
    switch (key) {
    case 'b':
        c->batch = (uint32_t)sz_cli_int(state, "--batch", arg, 1, 65536);
        return 0;
    case OPT_LENGTH:
        c->length = (uint32_t)sz_cli_int(state, "--length", arg, 2, 1 << 20);
        return 0;
    case OPT_ACCUMULATE:
        c->accumulate = (uint32_t)sz_cli_int(state, "--accumulate", arg, 1, 65536);
        return 0;
    case OPT_OPTIMISER:
        c->optimiser.kind = (sz_optimiser_kind)sz_cli_choice(state, "--optimiser", arg, optimisers);
        return 0;
    case OPT_RATE:
        c->schedule.peak = sz_cli_real(state, "--rate", arg, 1e-12, 1e38);
        return 0;
    case OPT_FLOOR:
        c->schedule.floor = sz_cli_real(state, "--floor", arg, 0, 1e6);
        return 0;
    case OPT_WARMUP:
        c->schedule.warmup = (uint64_t)sz_cli_int(state, "--warmup", arg, 0, INT64_MAX);
        return 0;
    case OPT_SCHEDULE:
        c->schedule.kind = (sz_schedule_kind)sz_cli_choice(state, "--schedule", arg, schedules);
        return 0;
    case OPT_DECAY_STEPS:
        c->schedule.decay = (uint64_t)sz_cli_int(state, "--decay-steps", arg, 1, INT64_MAX);
        return 0;
    case OPT_WEIGHT_DECAY:
        c->optimiser.weight_decay = sz_cli_real(state, "--weight-decay", arg, 0, 1e6);
        return 0;
    case OPT_CLIP:
        c->optimiser.clip_norm = sz_cli_real(state, "--clip", arg, 0, 1e30);
        return 0;
    case OPT_EMA:
        c->optimiser.ema_decay = sz_cli_real(state, "--ema", arg, 0, 0.999999);
        return 0;
    case OPT_CHECKPOINT:
        c->checkpoint = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_loss(int key, char *arg, struct argp_state *state) {
    sz_cce_config *l = &((settings *)state->input)->o.config.loss;
    switch (key) {
    case OPT_LOSS:
        l->comp_sum = sz_cli_choice(state, "--loss", arg, losses) == 1;
        return 0;
    case OPT_TAU:
        l->tau = sz_cli_real(state, "--tau", arg, 0, 100);
        return 0;
    case OPT_Z_LOSS:
        l->z_loss = (float)sz_cli_real(state, "--z-loss", arg, 0, 1e6);
        return 0;
    case OPT_SMOOTHING:
        l->label_smoothing = (float)sz_cli_real(state, "--smoothing", arg, 0, 0.999);
        return 0;
    case OPT_FILTER:
        l->filter_eps = (float)sz_cli_real(state, "--filter", arg, 0, 0.999);
        l->sort = l->filter_eps > 0;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_text(settings *s, char *arg) {
    const char **grown = realloc(s->o.texts, (s->o.n_texts + 1) * sizeof *grown);
    if (!grown) {
        sz_cli_note("out of memory");
        exit(SZ_EXIT_FAILURE);
    }
    s->o.texts = grown;
    s->o.texts[s->o.n_texts++] = arg;
}

static void finish(struct argp_state *state, settings *s) {
    sz_train_options *o = &s->o;
    sz_schedule *r = &o->config.schedule;
    if (s->what < 0)
        argp_error(state, "name what is trained: szilard train lm TEXT");
    if (!o->n_texts)
        argp_error(state, "name a text to learn from, or a token file");
    if (!o->folder)
        argp_error(state, "name a folder for the run with -o");
    if (o->from && (o->vocabulary || o->shape.n_layer || o->shape.n_embd || o->shape.n_head ||
                    o->shape.n_head_kv || o->shape.n_ff || o->shape.n_ctx))
        argp_error(state, "--from brings its own shape and vocabulary");
    r->steps = o->steps;
    r->floor = r->floor < 0 ? r->peak / 10 : r->floor;
    if (r->warmup == UINT64_MAX)
        r->warmup = o->steps / 20 < 500 ? o->steps / 20 : 500;
    r->decay = r->decay ? r->decay : o->steps / 5;
    if (r->floor > r->peak)
        argp_error(state, "--floor is above --rate");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'o':
        s->o.folder = arg;
        return 0;
    case 'n':
        s->o.steps = (uint64_t)sz_cli_int(state, "--steps", arg, 1, INT64_MAX);
        return 0;
    case 't':
        s->o.threads = (int)sz_cli_int(state, "--threads", arg, 1, 1024);
        return 0;
    case OPT_RESUME:
        s->o.resume = true;
        return 0;
    case OPT_JSON:
        s->o.json = true;
        return 0;
    case OPT_SEED:
        s->o.config.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_HOLD_OUT:
        s->o.config.hold_out = sz_cli_real(state, "--hold-out", arg, 0, 0.99);
        return 0;
    case OPT_SAVE:
        s->o.save_every = (uint64_t)sz_cli_int(state, "--save-every", arg, 0, INT64_MAX);
        return 0;
    case OPT_TELL:
        s->o.tell_every = (uint64_t)sz_cli_int(state, "--tell-every", arg, 0, INT64_MAX);
        return 0;
    case OPT_VALIDATE:
        s->o.validate_every = (uint64_t)sz_cli_int(state, "--validate-every", arg, 0, INT64_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (s->what < 0)
            s->what = sz_cli_choice(state, "train", arg, words);
        else
            add_text(s, arg);
        return 0;
    case ARGP_KEY_END:
        finish(state, s);
        return 0;
    default:
        break;
    }
    if (parse_model(key, arg, state) == 0 || parse_loss(key, arg, state) == 0)
        return 0;
    return parse_steps(key, arg, state);
}

const struct argp sz_argp_train = {
    options,
    parse,
    "lm TEXT...",
    "Trains a language model of the llama architecture on texts, or on one token file (.npy of "
    "int32), and writes it as a GGUF file that the other commands run. The same command gives the "
    "same file to the bit, on any number of threads, and when it was interrupted and resumed."
    "\v"
    "EXAMPLES\n"
    "  szilard train lm shakespeare.txt -o bard --steps 2000\n"
    "  szilard train lm shakespeare.txt -o bard --steps 2000 --resume\n"
    "  szilard run -m bard/model.gguf \"To be\"\n"
    "  szilard train lm notes.txt -o small --layers 2 --width 64 --context 64 --optimiser muon\n"
    "  szilard train lm notes.txt -o tuned --from smollm2 --rate 1e-5 --length 128 -b 1\n",
    NULL,
    NULL,
    NULL};

int sz_run_train(int argc, char **argv) {
    settings s = {.what = -1};
    s.o.steps = 1000;
    s.o.name = "Szilard language model";
    s.o.save_every = 100;
    s.o.tell_every = 10;
    s.o.config = (sz_train_config){.hold_out = 0.05};
    s.o.config.schedule =
        (sz_schedule){.kind = SZ_COSINE, .peak = 1e-3, .floor = -1, .warmup = UINT64_MAX};
    s.o.config.optimiser =
        (sz_optimiser_config){.kind = SZ_ADAMW, .weight_decay = 0.1, .clip_norm = 1};
    s.o.config.loss.tau = 1.2;
    sz_cli_parse(&sz_argp_train, argc, argv, &s);
    int status = sz_train_run(&s.o);
    free(s.o.texts);
    return status;
}
