package cases

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	kitexstreaming "github.com/cloudwego/kitex/pkg/streaming"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
)

// timeouts is what Kitex's own tests do with the time of a stream: in each mode the time of a Recv alone, the same before
// that of the stream, and the latter before the former.
func timeouts() (all []Case) {
	modes := []struct {
		name string
		wait func(ctx context.Context, on rpc.Client, options ...streamcall.Option) error
	}{{"client", waitForAnswer}, {"server", waitForDownload}, {"bidi", waitForBidi}}
	kinds := []struct {
		name         string
		recv, stream time.Duration
		code         int
	}{{"recv", brief, limit, 12014}, {"recv-before-stream", brief, limit / 2, 12014}, {"stream-before-recv", limit, soon, 12015}}
	for _, mode := range modes {
		for _, kind := range kinds {
			all = append(all, Case{"timeout-" + mode.name + "-streaming-" + kind.name, "streaming", func(ctx context.Context, p *Peer) {
				recv := kitexstreaming.TimeoutConfig{Timeout: kind.recv}
				bounded := NewClient(Caller, p.Addr, p.Protocol,
					client.WithStreamOptions(client.WithStreamRecvTimeoutConfig(recv)))
				timesOut(ctx, p, kind.stream, kind.code, func(ctx context.Context) error { return mode.wait(ctx, bounded) })
				timesOut(ctx, p, kind.stream, kind.code, func(ctx context.Context) error {
					return mode.wait(ctx, p.Client, streamcall.WithRecvTimeoutConfig(recv))
				})
			}})
		}
	}
	return append(all, Case{"timeout-bidi-streaming-kept-open", "streaming", keptOpen})
}

// keptOpen: nothing is sent when a Recv has waited too long, and the stream goes on.
func keptOpen(ctx context.Context, p *Peer) {
	recv := kitexstreaming.TimeoutConfig{Timeout: brief, DisableCancelRemote: true}
	bounded := NewClient(Caller, p.Addr, p.Protocol,
		client.WithStreamOptions(client.WithStreamRecvTimeoutConfig(recv)))
	for _, stream := range []rpc.Interop_EchoClient{
		get(bounded.Echo(ctx)),
		get(p.Client.Echo(ctx, streamcall.WithRecvTimeoutConfig(recv))),
	} {
		for n := range int64(2) {
			_, err := stream.Recv(ctx)
			failsWith(err, "12014")
			must(stream.Send(ctx, packet(n, 10)), "send")
			got, err := patient(ctx, stream)
			must(err, "receive")
			samePacket(got, packet(n, 10))
		}
		must(stream.CloseSend(ctx), "close")
		if _, err := patient(ctx, stream); !errors.Is(err, io.EOF) {
			fail("the stream ended with %v, want io.EOF", err)
		}
	}
}

// patient tries again for as long as it waits too long.
func patient(ctx context.Context, from receiver[interop.Packet]) (*interop.Packet, error) {
	for {
		got, err := from.Recv(ctx)
		if err == nil || !strings.Contains(err.Error(), "12014") {
			return got, err
		}
	}
}

// bounded is about a server that waits for its callers for a short time only, which no Kitex server can.
func bounded() []Case {
	return []Case{{"recv-timeout-of-the-server", "bounded", recvTimeoutOfTheServer}}
}

func recvTimeoutOfTheServer(ctx context.Context, p *Peer) {
	const text = "the caller sent no message within 300ms (recv_timeout of the server)"
	stream := get(p.Client.Echo(ctx))
	must(stream.Send(ctx, packet(0, 10)), "send")
	samePacket(receive(ctx, stream), packet(0, 10))
	_, err := stream.Recv(ctx)
	failsWith(err, "12001", text)
	upload := get(p.Client.Upload(ctx))
	var answer interop.Packet
	failsWith(upload.RecvMsg(ctx, &answer), "12001", text)
	download(ctx, p, 3, 10)
}

func timesOut(ctx context.Context, p *Peer, stream time.Duration, code int, wait func(ctx context.Context) error) {
	before := atRest(ctx, p)
	bounded, cancel := context.WithTimeout(ctx, stream)
	defer cancel()
	words := map[int]string{12014: "stream Recv timeout", 12015: "stream timeout"}
	if p.overGRPC() {
		words = map[int]string{12014: "code = 17", 12015: "code = 4"}
	}
	failsWith(wait(bounded), words[code])
	noticed(ctx, p, before, p.gone(code)...)
	echo(ctx, p, 1, 10)
}

func waitForAnswer(ctx context.Context, on rpc.Client, options ...streamcall.Option) error {
	stream := get(on.Gather(ctx, options...))
	must(stream.Send(ctx, &interop.Packet{Text: "hold"}), "send")
	get(stream.Header()) // the handler runs
	var answer interop.Packet
	return stream.RecvMsg(ctx, &answer)
}

func waitForDownload(ctx context.Context, on rpc.Client, options ...streamcall.Option) error {
	stream := get(on.Download(ctx, &interop.Command{What: "wait", Count: 1, Size: 10}, options...))
	get(stream.Header())
	return untilItFails(ctx, stream)
}

func waitForBidi(ctx context.Context, on rpc.Client, options ...streamcall.Option) error {
	stream := get(on.Act(ctx, options...))
	must(stream.Send(ctx, &interop.Command{What: "wait"}), "send the command")
	get(stream.Header())
	return untilItFails(ctx, stream)
}
