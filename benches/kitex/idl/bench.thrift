namespace go bench

struct Blob {
    1: binary data
}

service Bench {
    Blob Echo(1: Blob req) (streaming.mode = "bidirectional")
}
