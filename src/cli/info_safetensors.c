/* info_safetensors.c: `szilard info` on a safetensors file. */
#include "info.h"
#include <string.h>
#include <szilard/unstable/safetensors.h>

static sz_tensor_row row_of(const sz_safetensors_tensor *t) {
    sz_tensor_row row = {.name = t->name,
                         .type = sz_safetensors_type_name(t->type),
                         .n_dim = t->n_dim,
                         .bytes = t->bytes};
    memcpy(row.shape, t->dim, sizeof row.shape);
    return row;
}

static void put_metadata_text(const sz_json *metadata, const sz_info_options *o, sz_buf *b) {
    for (const sz_json *v = metadata ? metadata->u.child : NULL; v; v = v->next) {
        sz_buf_puts(b, "  ");
        sz_put_shown(b, v->key, v->key_n, 256);
        sz_buf_puts(b, " = ");
        sz_put_shown(b, v->u.s, v->n, o->all ? SIZE_MAX : 100);
        sz_buf_putc(b, '\n');
    }
}

static void put_text(const char *path, const sz_safetensors *f, const sz_tensor_sums *sums,
                     uint64_t file_bytes, const sz_info_options *o, sz_buf *b) {
    const sz_json *metadata = sz_safetensors_metadata(f);
    char size[16];
    sz_format_bytes(file_bytes, size);
    sz_info_line(b, "file", "%s", path);
    sz_info_line(b, "format", "safetensors, %s", size);
    sz_sums_text(sums, b);
    sz_info_line(b, "metadata", "%u keys", metadata ? metadata->n : 0);
    put_metadata_text(metadata, o, b);
    for (size_t i = 0; o->tensors && i < sz_safetensors_n_tensors(f); i++) {
        sz_tensor_row row = row_of(sz_safetensors_tensor_at(f, i));
        sz_tensor_text(&row, b);
    }
}

static void put_metadata_json(const sz_json *metadata, sz_buf *b) {
    const char *separator = "";
    for (const sz_json *v = metadata ? metadata->u.child : NULL; v; v = v->next) {
        sz_buf_puts(b, separator);
        sz_json_quote(b, v->key, v->key_n);
        sz_buf_putc(b, ':');
        sz_json_quote(b, v->u.s, v->n);
        separator = ",";
    }
}

static void put_json(const char *path, const sz_safetensors *f, const sz_tensor_sums *sums,
                     uint64_t file_bytes, sz_buf *b) {
    sz_buf_puts(b, "{\"path\":");
    sz_json_quote(b, path, strlen(path));
    sz_buf_printf(b, ",\"format\":\"safetensors\",\"file_bytes\":%llu,",
                  (unsigned long long)file_bytes);
    sz_sums_json(sums, b);
    sz_buf_puts(b, ",\"metadata\":{");
    put_metadata_json(sz_safetensors_metadata(f), b);
    sz_buf_puts(b, "},\n\"tensors\":[");
    for (size_t i = 0; i < sz_safetensors_n_tensors(f); i++) {
        sz_tensor_row row = row_of(sz_safetensors_tensor_at(f, i));
        sz_buf_puts(b, i ? ",\n" : "\n");
        sz_tensor_json(&row, b);
    }
    sz_buf_puts(b, "]}\n");
}

sz_status sz_info_safetensors(const char *path, const sz_info_options *o, sz_buf *b) {
    sz_map map;
    sz_safetensors *f;
    SZ_TRY(sz_map_open(path, &map));
    sz_status status = sz_safetensors_parse(map.data, map.size, path, &f);
    if (status == SZ_OK) {
        sz_tensor_sums sums = {0};
        for (size_t i = 0; i < sz_safetensors_n_tensors(f); i++) {
            const sz_safetensors_tensor *t = sz_safetensors_tensor_at(f, i);
            sz_sums_add(&sums, sz_safetensors_type_name(t->type),
                        t->bytes / sz_safetensors_type_bytes(t->type), t->bytes);
        }
        if (o->json)
            put_json(path, f, &sums, map.size, b);
        else
            put_text(path, f, &sums, map.size, o, b);
        sz_safetensors_close(f);
    }
    sz_map_close(&map);
    return status;
}
