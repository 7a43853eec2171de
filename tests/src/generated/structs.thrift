namespace go structs

struct Inner {
    1: i32 id
    2: string name
    3: optional list<Inner> kids
}

enum Color {
    Red = 0
    Green = 1
    Blue = -7
}

struct Scalars {
    1: bool b
    2: i8 y
    3: i16 s
    4: i32 i
    5: i64 l
    6: double d
    7: string t
    8: binary x
    9: Color c
    10: i64 u
}

struct Empty {
}

union Choice {
    1: i64 number
    2: string text
    3: Inner inner
    4: list<i32> numbers
    5: bool flag
    6: Empty nothing
}

exception Problem {
    1: string why
    2: i32 code
    3: list<string> need
    4: optional Inner detail
}

struct Wrapper {
    1: optional Choice choice
    2: list<map<string, Choice>> choices
    3: optional Problem problem
}

struct Optionals {
    1: optional bool b
    2: optional i8 y
    3: optional i16 s
    4: optional i32 i
    5: optional i64 l
    6: optional double d
    7: optional string t
    8: optional binary x
    9: optional Color c
    10: optional Inner inner
    11: optional list<string> ls
    12: optional set<i64> si
    13: optional map<string, string> m
    14: optional Choice choice
}

struct Lists {
    1: list<bool> lb
    2: list<i8> ly
    3: list<i16> ls
    4: list<i32> li
    5: list<i64> ll
    6: list<double> ld
    7: list<string> lt
    8: list<binary> lx
    9: list<Color> lc
    10: list<Inner> lstruct
    11: list<list<i32>> lli
    12: list<Empty> le
}

struct Maps {
    1: map<string, i64> msl
    2: map<i32, string> mis
    3: map<bool, double> mbd
    4: map<Color, Inner> mci
    5: map<string, list<Inner>> mslist
    6: map<i64, map<string, set<i16>>> deep
    7: map<string, binary> msx
}

struct Ids {
    32767: i32 last
    1: i32 first
    256: string mid
    255: bool low
}

struct Nested {
    1: Inner inner
    2: optional Inner maybe
    3: list<Inner> many
    4: map<string, Inner> named
}

struct Defaults {
    1: bool b = true
    2: i32 i = 42
    3: string s = "default"
    4: optional i64 ol = -9
    5: optional string os = "opt"
    6: list<i32> l = [1, 2, 3]
    7: double d = 1.5
    8: Color c = Color.Blue
    9: optional list<i32> oli = [7]
    10: optional bool ob = true
}

struct Mixed {
    1: string a
    2: i32 b
    3: list<string> c
    4: bool d
    5: Inner e
    6: double f
    7: Color g
    8: i64 h
}

struct Sets {
    1: set<i32> si
    2: set<string> st
    3: set<bool> sb
    4: set<i64> sl
}

struct Required {
    1: required i32 a
    2: required string b
    3: required list<string> c
    4: required Inner d
}

// Every type that can be in a message.
service Structs {
    Inner Call(1: Inner a, 2: i32 b)
    void Nothing()
    oneway void Fire(1: Scalars scalars)
    Optionals Talk(1: Wrapper req) (streaming.mode = "bidirectional")
    Maps Upload(1: Lists req) (streaming.mode = "client")
    Nested Download(1: Ids req) (streaming.mode = "server")
    Defaults Fill(1: Ids ids)
    Sets Collect(1: Mixed mixed)
    Required Demand()
    list<string> Throw() throws (1: Problem p, 2: Problem q)
    // A stream that can end
    // with an exception.
    // Ends with one of (1: Problem problem), which Kitex reads as an ordinary error.
    Inner Stop(1: Inner req) (streaming.mode = "bidirectional")
}
