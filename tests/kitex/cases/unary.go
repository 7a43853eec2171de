package cases

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"streamxkitex/gen/interop"
	"streamxkitex/gen/stranger"
)

func unary() []Case {
	return append(normalUnary(), []Case{
		{"ping", "unary", func(ctx context.Context, p *Peer) { ping(ctx, p, 1, 100) }},
		{"ping-empty", "unary", func(ctx context.Context, p *Peer) { ping(ctx, p, 1, 0) }},
		{"ping-1000", "unary", func(ctx context.Context, p *Peer) { ping(ctx, p, 1000, 100) }},
		{"ping-1mib", "unary", func(ctx context.Context, p *Peer) { ping(ctx, p, 3, 1<<20) }},
		{"ping-8mib", "unary", func(ctx context.Context, p *Peer) { ping(ctx, p, 2, 8<<20) }},
		{"ping-concurrent", "unary", func(ctx context.Context, p *Peer) {
			together(64, func(int) { ping(ctx, p, 5, 1000) })
		}},
		{"mirror", "unary", mirror},
		{"get", "unary", getFound},
		{"declared-exception", "unary", declaredException},
		{"several-arguments", "unary", severalArguments},
		{"void", "unary", void},
		{"oneway", "unary", oneway},
		{"unary-error", "unary", func(ctx context.Context, p *Peer) { unaryFailure(ctx, p, "error", "boom") }},
		{"unary-biz-error", "unary", unaryBizError},
		{"unary-panic", "unary", func(ctx context.Context, p *Peer) { unaryFailure(ctx, p, "panic", "panic") }},
		{"unary-unknown-method", "unary", unaryUnknownMethod},
		{"unary-unknown-service", "unary", unaryUnknownService},
		{"unary-metainfo", "unary", unaryMetainfo},
	}...)
}

func packet(number int64, size int) *interop.Packet {
	return &interop.Packet{Number: number, Body: bytes.Repeat([]byte{byte(number)}, size), Text: "täxt"}
}

func ping(ctx context.Context, p *Peer, calls int64, size int) {
	for n := range calls {
		want := packet(n, size)
		samePacket(get(p.Client.Ping(ctx, want)), want)
	}
}

func mirror(ctx context.Context, p *Peer) {
	for _, sample := range samples() {
		got, err := p.Client.Mirror(ctx, sample.value)
		must(err, sample.name)
		sameEverything(sample.name, got, p.mirrored(sample.value))
	}
}

// mirrored: Kitex does not write the variant of a union in protobuf when it is zero or empty (prutal v0.1.3).
func (p *Peer) mirrored(value *interop.Everything) *interop.Everything {
	if p.Protocol != InProtobuf || value.Choice == nil || value.Choice.Text == nil || *value.Choice.Text != "" {
		return value
	}
	without := *value
	without.Choice = nil
	return &without
}

func getFound(ctx context.Context, p *Peer) {
	equal("text", get(p.Client.Get(ctx, "found")).Text, "found")
}

// declaredException: Kitex knows no declared exceptions in protobuf, where one is an ordinary error.
func declaredException(ctx context.Context, p *Peer) {
	_, err := p.Client.Get(ctx, "missing")
	if p.Protocol == InProtobuf {
		failsWith(err, "missing")
		getFound(ctx, p)
		return
	}
	var missing *interop.NotFound
	if !errors.As(err, &missing) {
		fail("Get failed with %v, want NotFound", err)
	}
	equal("key", missing.Key, "missing")
	equal("code", missing.Code, 404)
	getFound(ctx, p)
}

func severalArguments(ctx context.Context, p *Peer) {
	equal("sum", get(p.Client.Add(ctx, 2, 40)), 42)
	equal("sum", get(p.Client.Add(ctx, math.MinInt64, math.MaxInt64)), -1)
	equal("sum", get(p.Client.Add(ctx, math.MaxInt64, 0)), math.MaxInt64)
}

func void(ctx context.Context, p *Peer) {
	must(p.Client.Nothing(ctx), "Nothing")
}

// oneway asks until the note is there: nothing orders a oneway call before the next one.
func oneway(ctx context.Context, p *Peer) {
	text := "note of " + time.Now().String()
	must(p.Client.Note(ctx, text), "Note")
	for !slices.Contains(get(p.Client.Notes(ctx)), text) {
		if ctx.Err() != nil {
			fail("the note never arrived")
		}
	}
}

func unaryFailure(ctx context.Context, p *Peer, what, word string) {
	_, err := p.Client.Fail(ctx, &interop.Command{What: what})
	failsWith(err, word)
	ping(ctx, p, 1, 10)
	equal("number", get(p.Client.Fail(ctx, &interop.Command{What: "nothing", Count: 7})).Number, 7)
}

// unaryBizError: messages without a TTHeader have no place for a business error. There Kitex gives a nil answer and loses the error,
// streamx sends an ordinary one.
func unaryBizError(ctx context.Context, p *Peer) {
	answer, err := p.Client.Fail(ctx, &interop.Command{What: "biz"})
	switch {
	case !p.bare():
		isNoBalance(err)
	case p.Streamx:
		failsWith(err, "business error 10001: no balance")
	case err != nil || answer != nil:
		fail("Kitex has learned to send business errors without a TTHeader: %v, %v", answer, err)
	}
	ping(ctx, p, 1, 10)
	equal("number", get(p.Client.Fail(ctx, &interop.Command{What: "nothing", Count: 7})).Number, 7)
}

func unaryUnknownMethod(ctx context.Context, p *Peer) {
	_, err := lackingMethods(p).Absent(ctx, &stranger.Packet{})
	failsWith(err, "unknown", "Absent")
	ping(ctx, p, 1, 10)
}

// Only a TTHeader carries the name of the service.
func unaryUnknownService(ctx context.Context, p *Peer) {
	_, err := lackingService(p).Gone(ctx, &stranger.Packet{})
	if p.bare() {
		failsWith(err, "unknown", "Gone")
	} else {
		failsWith(err, "unknown", "Stranger")
	}
	ping(ctx, p, 1, 10)
}
