// Package cases drives a server of Interop through Kitex clients. A case fails by panicking with a failure, see check.go.
package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	rpc "streamxkitex/gen/interop/interop"
)

// limit bounds one case; what a case waits for takes milliseconds.
const limit = 40 * time.Second

// Case is a named check of a server.
type Case struct {
	Name  string
	Group string // "unary", "streaming", "attended": needs somebody who kills and restarts the server, "chained": needs a last server, "bounded": needs a recv_timeout on it, "declared": needs one whose Echo ends with a declared exception
	run   func(ctx context.Context, p *Peer)
}

// Peer is the server under test.
type Peer struct {
	Addr     string
	Protocol string // of unary calls: one of Protocols; streams speak it too if it is one of gRPC
	Streamx  bool   // whether the server is streamx; a Kitex server never answers an unknown streaming method
	Client   rpc.Client
	Last     *Peer                   // the server behind this one, if there is a chain
	Ask      func(what string) error // has "kill" or "restart" done to the server
}

// Protocols is how unary calls can be made, by what is around their messages.
var Protocols = []string{"framed", "buffered", "ttheader-framed", "ttheader", "grpc", InProtobuf}

// bare says whether unary calls have no TTHeader, and so no place for anything but arguments and answers.
func (p *Peer) bare() bool {
	return p.Protocol == "framed" || p.Protocol == "buffered"
}

func (p *Peer) overGRPC() bool {
	return strings.HasPrefix(p.Protocol, "grpc")
}

// reason is what a handler of the server says of a caller who is gone, with one of Kitex's codes.
//
// gRPC has no place for the code, and for the path of a cancel; and Kitex says there which frame has come.
func (p *Peer) reason(code int) string {
	if p.overGRPC() && !p.Streamx {
		return ""
	}
	if p.overGRPC() {
		return "code 0, side Client: the ca"
	}
	if p.Streamx {
		return fmt.Sprintf("code %d, side Client", code)
	}
	return fmt.Sprintf("code=%d", code)
}

// path is how a handler of the server writes the path of a cancel.
func (p *Peer) path(names ...string) string {
	if p.overGRPC() {
		return ""
	}
	path := strings.Join(names, " -> ")
	if p.Streamx {
		return "[cancelled by " + path + "]"
	}
	return "[canceled path: " + path + "]"
}

// name is what the server calls itself when it calls the next one.
func (p *Peer) name() string {
	if p.Streamx {
		return "streamx-server"
	}
	return "kitex-server"
}

// Skips says whether a case means nothing with this peer. One-way calls do not travel over gRPC; and a Recv of Kitex that has
// waited too long there takes the next message along and drops it, whoever the server is.
func (c Case) Skips(p *Peer) bool {
	return p.overGRPC() && (c.Name == "oneway" || c.Name == "timeout-bidi-streaming-kept-open")
}

// All is every case, in the order they run.
func All() []Case {
	return slices.Concat(unary(), streaming(), attended(), cascade(), bounded(), declared())
}

// kitexRace marks a failure of Kitex against itself, seen in about one run of four: a header frame too many, after a
// cancel, for which its client closes the connection. A streamx server is never forgiven this.
const kitexRace = "already set header"

// Run reports why the case failed, or nil.
func (c Case) Run(p *Peer) error {
	err := c.once(p)
	for again := 0; again < 4 && err != nil && !p.Streamx && strings.Contains(err.Error(), kitexRace); again++ {
		fmt.Println("again", c.Name+":", err)
		err = c.once(p)
	}
	return err
}

func (c Case) once(p *Peer) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	numbersTravel = !p.overGRPC()
	outcome := make(chan error, 1)
	go func() {
		outcome <- attempt(func() { c.run(ctx, p) })
	}()
	select {
	case err := <-outcome:
		return err
	case <-time.After(limit + 5*time.Second): // a Kitex call may block past its deadline
		return fmt.Errorf("still blocked after %v", limit)
	}
}
