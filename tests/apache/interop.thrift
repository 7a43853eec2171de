namespace go interop

enum Color {
    Red = 0
    Green = 1
    Blue = -7
}

struct Inner {
    1: string name
    2: i32 weight
}

union Choice {
    1: string text
    2: i64 number
    3: Inner inner
}

// Every type that Thrift has.
struct Everything {
    1: bool flag
    2: i8 tiny
    3: i16 small
    4: i32 medium
    5: i64 large
    6: double ratio
    7: string text
    8: binary blob
    9: Color color
    10: Inner inner
    11: optional Choice choice
    12: list<i32> numbers
    13: list<string> words
    14: list<Inner> inners
    15: set<i32> unique
    16: map<string, i64> counts
    17: map<i32, Inner> by_number
    18: list<list<i32>> grid
    19: optional i32 maybe_number
    20: optional string maybe_text
    21: optional Inner maybe_inner
    22: i32 limit = 10
    23: required i64 id
    24: optional Everything parent
}

struct Packet {
    1: i64 number
    2: binary body
    3: string text
}

exception NotFound {
    1: string key
    2: i32 code
}

struct Command {
    1: string what
    2: i64 count
    3: i64 size
}

// Every mode of a call, and a method that misbehaves on command.
service Interop {
    Everything Mirror(1: Everything value)
    Packet Ping(1: Packet packet)
    // Knows every key but `missing`.
    Packet Get(1: string key) throws (1: NotFound not_found)
    i64 Add(1: i64 a, 2: i64 b)
    void Nothing()
    oneway void Note(1: string text)
    // What was noted so far.
    list<string> Notes()
    // Fails with `boom` on `error`, with a business error on `biz`, panics on `panic`; on `hold` it answers once the number
    // `count` is noted; notes it on `release`.
    Packet Fail(1: Command command)
    // The metainfo that came with the call, sorted: `persistent [k=v,...] transient [k=v,...]`.
    string Told()
    // How many milliseconds the caller has for this call, -1 if it has not said so.
    i64 Left()
    Packet Echo(1: Packet request) (streaming.mode = "bidirectional")
    Everything MirrorAll(1: Everything request) (streaming.mode = "bidirectional")
    // Answers with the number of packets and their total size; a packet with the text `enough` is answered at once. A
    // server whose language lets it forget the answer does so after a packet with the text `forget`.
    Packet Upload(1: Packet request) (streaming.mode = "client")
    // Answers with the number of packets and the answer of Told, and sets the header `h1` to `v1` and the trailer `t1` to
    // `v1`. After a packet with the text `hold` it sends the header and waits until the caller is gone.
    Packet Gather(1: Packet request) (streaming.mode = "client")
    // Sends `count` packets of `size` bytes, numbered from 0. On `told` it sends the answer of Told before; on `headers`
    // it sets the header `h1` to `v1` and the trailer `t1` to `v1`; on `talk` it does both; on `wait` it goes on until the
    // caller is gone.
    Packet Download(1: Command request) (streaming.mode = "server")
    // Behaves as the first command says:
    //
    // * `return`: return at once, whatever else the client sends
    // * `fail`: fail with `boom`
    // * `fail-after`: send `count` packets of `size` bytes, then fail with `boom`
    // * `biz`: fail with a business error
    // * `biz-after`: send `count` packets of `size` bytes, then fail with a business error
    // * `panic`: panic
    // * `finish-first`: send `count` packets of `size` bytes and return, although the client has not closed
    // * `wait`: send one packet, then wait until the caller is gone
    // * `count`: once `count` handlers have been cancelled and `size` are alive, send how many were and are, and beside
    //   the first number why the last one was
    // * `told`: send the answer of Told
    // * `headers`: set the header `h1` to `v1` and `h2` to `v2`, send it, set the trailer `t1` to `v1`, receive one command
    //   more
    // * `headers-biz`: do as for `headers`, then fail with a business error
    // * `talk`: set the header `h1` to `v1` and the trailer `t1` to `v1`, send the answer of Told, then the `count` of each
    //   further command
    // * `listen`: send `count` packets of `size` bytes, then receive until the caller has closed or is gone
    // * `eof`: receive until the caller has closed, and fail with `EOF`
    // * `relay`: send `wait` to Act of the next server and pass on what comes
    Packet Act(1: Command request) (streaming.mode = "bidirectional")
}
