package cases

import (
	"context"
	"errors"
	"io"

	"streamxkitex/gen/interop"
)

// basicProgramming is the page "StreamX Basic Programming" of Kitex: its three usages, and each of its rules that begin
// with [Must].
func basicProgramming() []Case {
	return []Case{
		{"client-streaming-usage", "streaming", func(ctx context.Context, p *Peer) { upload(ctx, p, 3, 100) }},
		{"client-streaming-client-must-close-and-recv", "streaming", mustCloseAndRecv},
		{"client-streaming-client-must-close-send-then-recv", "streaming", mustCloseSendThenRecv},
		{"client-streaming-server-must-return-a-response", "streaming", mustReturnAResponse},
		{"server-streaming-usage", "streaming", func(ctx context.Context, p *Peer) { download(ctx, p, 3, 100) }},
		{"server-streaming-client-must-check-for-the-end", "streaming", mustCheckForTheEnd},
		{"bidi-streaming-usage", "streaming", func(ctx context.Context, p *Peer) { echo(ctx, p, 3, 100) }},
		{"bidi-streaming-client-must-close-send", "streaming", mustCloseSend},
		{"bidi-streaming-client-must-check-for-the-end", "streaming", mustCheckForTheEndOfBoth},
		{"bidi-streaming-server-must-check-for-the-end", "streaming", serverMustCheckForTheEnd},
	}
}

// normalMethod is called by the very client that streams, which a buffered one cannot.
func normalMethod(ctx context.Context, p *Peer) {
	if p.Protocol == "buffered" {
		_, err := p.Client.Echo(ctx)
		failsWith(err, "no matching transport protocol")
		ping(ctx, p, 1, 10)
		return
	}
	stream := get(p.Client.Echo(ctx))
	must(stream.Send(ctx, packet(0, 10)), "send")
	ping(ctx, p, 1, 10)
	samePacket(receive(ctx, stream), packet(0, 10))
	must(stream.CloseSend(ctx), "close")
	ended(ctx, stream)
}

func mustCloseAndRecv(ctx context.Context, p *Peer) {
	atRest(ctx, p)
	stream := get(p.Client.Gather(ctx))
	for n := range int64(3) {
		must(stream.Send(ctx, packet(n, 10)), "send")
	}
	count(ctx, p, 0, 1) // the server has no answer yet
	answer, err := stream.CloseAndRecv(ctx)
	must(err, "close and receive")
	equal("count", answer.Number, 3)
	atRest(ctx, p)
}

func mustCloseSendThenRecv(ctx context.Context, p *Peer) {
	atRest(ctx, p)
	stream := get(p.Client.Gather(ctx))
	for n := range int64(3) {
		must(stream.Send(ctx, packet(n, 10)), "send")
	}
	count(ctx, p, 0, 1)
	must(stream.CloseSend(ctx), "close")
	var answer interop.Packet
	must(stream.RecvMsg(ctx, &answer), "receive")
	equal("count", answer.Number, 3)
	atRest(ctx, p)
}

// mustReturnAResponse: a handler in Go can forget its response, which a client in Go sees as io.EOF.
func mustReturnAResponse(ctx context.Context, p *Peer) {
	stream := get(p.Client.Upload(ctx))
	must(stream.Send(ctx, &interop.Packet{Text: "forget"}), "send")
	answer, err := stream.CloseAndRecv(ctx)
	if p.Streamx {
		must(err, "close and receive")
		equal("count", answer.Number, 1)
	} else if !errors.Is(err, io.EOF) {
		fail("without a response there is %v, %v, want io.EOF", answer, err)
	}
}

func mustCheckForTheEnd(ctx context.Context, p *Peer) {
	stream := get(p.Client.Download(ctx, &interop.Command{Count: 3, Size: 10}))
	equal("messages before the end", untilTheEnd(ctx, stream), 3)
	ended(ctx, stream)
}

// untilTheEnd is the loop of the page.
func untilTheEnd(ctx context.Context, from receiver[interop.Packet]) (messages int) {
	for {
		_, err := from.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return messages
		}
		must(err, "receive")
		messages++
	}
}

func mustCloseSend(ctx context.Context, p *Peer) {
	atRest(ctx, p)
	stream := get(p.Client.Echo(ctx))
	for n := range int64(3) {
		must(stream.Send(ctx, packet(n, 10)), "send")
		samePacket(receive(ctx, stream), packet(n, 10))
	}
	count(ctx, p, 0, 1) // the server expects more
	must(stream.CloseSend(ctx), "close")
	ended(ctx, stream)
	atRest(ctx, p)
}

func mustCheckForTheEndOfBoth(ctx context.Context, p *Peer) {
	stream := get(p.Client.Echo(ctx))
	together(2, func(half int) {
		if half == 1 {
			equal("messages before the end", untilTheEnd(ctx, stream), 3)
			return
		}
		for n := range int64(3) {
			must(stream.Send(ctx, packet(n, 10)), "send")
		}
		must(stream.CloseSend(ctx), "close")
	})
	ended(ctx, stream)
}

// serverMustCheckForTheEnd: one that takes the end for an error fails with it, which is no end for its client.
func serverMustCheckForTheEnd(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "listen", Count: 3, Size: 10})
	packets(ctx, stream, 3, 10)
	must(stream.CloseSend(ctx), "close")
	ended(ctx, stream)
	stream = act(ctx, p, &interop.Command{What: "eof"})
	must(stream.CloseSend(ctx), "close")
	_, err := stream.Recv(ctx)
	failsWith(err, "12001", "EOF")
}
