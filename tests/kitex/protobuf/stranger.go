package protobuf

import (
	"context"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/streaming"

	strangerpb "streamxkitex/gen/protobuf/stranger"
	lesspbrpc "streamxkitex/gen/protobuf/stranger/interop"
	strangerpbrpc "streamxkitex/gen/protobuf/stranger/stranger"
	"streamxkitex/gen/stranger"
	lessrpc "streamxkitex/gen/stranger/interop"
	strangerrpc "streamxkitex/gen/stranger/stranger"
)

type lacking struct{ pb lesspbrpc.Client }

// NewLacking returns a client of Interop as somebody knows it whose methods no server has.
func NewLacking(options ...client.Option) lessrpc.Client {
	return lacking{lesspbrpc.MustNewClient("interop", options...)}
}

func (c lacking) Absent(ctx context.Context, packet *stranger.Packet, options ...callopt.Option) (*stranger.Packet, error) {
	return answer(fromStranger)(c.pb.Absent(ctx, toStranger(packet), options...))
}

func (c lacking) Missing(ctx context.Context, options ...streamcall.Option) (lessrpc.Interop_MissingClient, error) {
	return opened(streaming.NewBidiStreamingClient[stranger.Packet, stranger.Packet])(c.pb.Missing(ctx, options...))
}

type unknown struct{ pb strangerpbrpc.Client }

// NewStranger returns a client of a service that no server has.
func NewStranger(options ...client.Option) strangerrpc.Client {
	return unknown{strangerpbrpc.MustNewClient("stranger", options...)}
}

func (c unknown) Gone(ctx context.Context, packet *stranger.Packet, options ...callopt.Option) (*stranger.Packet, error) {
	return answer(fromStranger)(c.pb.Gone(ctx, toStranger(packet), options...))
}

func (c unknown) Lost(ctx context.Context, options ...streamcall.Option) (strangerrpc.Stranger_LostClient, error) {
	return opened(streaming.NewBidiStreamingClient[stranger.Packet, stranger.Packet])(c.pb.Lost(ctx, options...))
}

func toStranger(m *stranger.Packet) *strangerpb.Packet {
	return &strangerpb.Packet{Number: m.Number, Body: m.Body, Text: m.Text}
}

func fromStranger(m *strangerpb.Packet) *stranger.Packet {
	return &stranger.Packet{Number: m.Number, Body: m.Body, Text: m.Text}
}
