package protobuf

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/pkg/streaming"

	"streamxkitex/gen/interop"
	"streamxkitex/gen/stranger"
)

// clientStream takes and gives messages of the Thrift schema, on a stream of those of the protobuf schema.
type clientStream struct{ streaming.ClientStream }

func (s clientStream) SendMsg(ctx context.Context, m any) error {
	return s.ClientStream.SendMsg(ctx, converted(m))
}

func (s clientStream) RecvMsg(ctx context.Context, m any) error {
	return receive(m, func(m any) error { return s.ClientStream.RecvMsg(ctx, m) })
}

// serverStream is the same for a handler.
type serverStream struct{ streaming.ServerStream }

func (s serverStream) SendMsg(ctx context.Context, m any) error {
	return s.ServerStream.SendMsg(ctx, converted(m))
}

func (s serverStream) RecvMsg(ctx context.Context, m any) error {
	return receive(m, func(m any) error { return s.ServerStream.RecvMsg(ctx, m) })
}

func converted(m any) any {
	switch m := m.(type) {
	case *interop.Packet:
		return toPacket(m)
	case *interop.Command:
		return toCommand(m)
	case *interop.Everything:
		return toEverything(m)
	case *stranger.Packet:
		return toStranger(m)
	}
	panic(fmt.Sprintf("no stream has messages of %T", m))
}

func receive(m any, recv func(any) error) error {
	switch m := m.(type) {
	case *interop.Packet:
		return receiveAs(m, recv, fromPacket)
	case *interop.Command:
		return receiveAs(m, recv, fromCommand)
	case *interop.Everything:
		return receiveAs(m, recv, fromEverything)
	case *stranger.Packet:
		return receiveAs(m, recv, fromStranger)
	}
	panic(fmt.Sprintf("no stream has messages of %T", m))
}

func receiveAs[P, T any](m *T, recv func(any) error, from func(*P) *T) error {
	got := new(P)
	if err := recv(got); err != nil {
		return err
	}
	*m = *from(got)
	return nil
}
