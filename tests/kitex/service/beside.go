package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/streaming"

	"streamxkitex/gen/interop"
)

// Told is the metainfo that came with the call, sorted.
func (s *Service) Told(ctx context.Context) (string, error) {
	return told(ctx), nil
}

// Left is how many milliseconds the caller has for this call, -1 if it has not said so.
func (s *Service) Left(ctx context.Context) (int64, error) {
	if timeout := rpcinfo.GetRPCInfo(ctx).Config().RPCTimeout(); timeout > 0 {
		return timeout.Milliseconds(), nil
	}
	if deadline, ok := ctx.Deadline(); ok { // of gRPC
		return time.Until(deadline).Milliseconds(), nil
	}
	return -1, nil
}

func told(ctx context.Context) string {
	persistent, transient := line(metainfo.GetAllPersistentValues(ctx)), line(metainfo.GetAllValues(ctx))
	return fmt.Sprintf("persistent [%s] transient [%s]", persistent, transient)
}

func line(pairs map[string]string) string {
	var sorted []string
	for key, value := range pairs {
		sorted = append(sorted, key+"="+value)
	}
	slices.Sort(sorted)
	return strings.Join(sorted, ",")
}

type greeter interface {
	SetHeader(streaming.Header) error
	SetTrailer(streaming.Trailer) error
}

func greet(stream greeter) error {
	if err := stream.SetHeader(streaming.Header{"h1": "v1"}); err != nil {
		return err
	}
	return stream.SetTrailer(streaming.Trailer{"t1": "v1"})
}

func headers(ctx context.Context, stream interop.Interop_ActServer) error {
	if err := stream.SetHeader(streaming.Header{"h1": "v1"}); err != nil {
		return err
	}
	if err := stream.SendHeader(streaming.Header{"h2": "v2"}); err != nil {
		return err
	}
	if err := stream.SetTrailer(streaming.Trailer{"t1": "v1"}); err != nil {
		return err
	}
	_, _ = stream.Recv(ctx) // a command or the end
	return nil
}
