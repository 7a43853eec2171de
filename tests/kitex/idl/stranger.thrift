// Methods and a service that no server of these tests has.
namespace go stranger

struct Packet {
    1: i64 number
    2: binary body
    3: string text
}

service Interop {
    Packet Absent(1: Packet packet)
    Packet Missing(1: Packet req) (streaming.mode = "bidirectional")
}

service Stranger {
    Packet Gone(1: Packet packet)
    Packet Lost(1: Packet req) (streaming.mode = "bidirectional")
}
