// A Kitex server and a Kitex client for the scales: bidirectional echo over TTHeader Streaming.
//
//	kitex-bench serve
//	kitex-bench drive ADDRESS STREAMS SIZE
//
// Both speak the control line of the runner: see src/control.rs.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/remote/trans/ttstream"
	"github.com/cloudwego/kitex/server"

	"streamxbench/gen/bench"
	service "streamxbench/gen/bench/bench"
)

// freshEvery is how many round trips a stream makes before it sends other bytes.
const freshEvery = 64

type echo struct{}

func (*echo) Echo(ctx context.Context, stream bench.Bench_EchoServer) error {
	for {
		message, err := stream.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(ctx, message); err != nil {
			return err
		}
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("listening", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	check(service.NewServer(&echo{}, server.WithListener(listener)).Run())
}

func drive(address string, streams, size int) {
	channel := service.MustNewClient("bench",
		client.WithHostPorts(address),
		client.WithConnectTimeout(time.Second),
		client.WithTTHeaderStreamingOptions(client.WithTTHeaderStreamingTransportOptions(
			// Otherwise Kitex spreads the streams over several connections.
			ttstream.WithClientMuxConnPool(ttstream.MuxConnConfig{PoolSize: 1}))))
	var roundTrips atomic.Int64
	var started sync.WaitGroup
	started.Add(streams)
	for number := range streams {
		go exchange(channel, number, size, &started, &roundTrips)
	}
	started.Wait()
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(roundTrips.Load())
	}
}

func exchange(channel service.Client, number, size int, started *sync.WaitGroup, roundTrips *atomic.Int64) {
	ctx := context.Background()
	stream, err := channel.Echo(ctx)
	check(err)
	message := &bench.Blob{}
	for made := uint64(0); ; made++ {
		if made%freshEvery == 0 {
			message = &bench.Blob{Data: make([]byte, size)}
			binary.BigEndian.PutUint64(message.Data, uint64(number))
			binary.BigEndian.PutUint64(message.Data[8:], made)
		}
		check(stream.Send(ctx, message))
		answer, err := stream.Recv(ctx)
		check(err)
		if !bytes.Equal(answer.Data, message.Data) {
			log.Fatal("the answer is not the echo of the message")
		}
		if made == 0 {
			started.Done()
		}
		roundTrips.Add(1)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	klog.SetOutput(io.Discard)
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
		return
	}
	if len(os.Args) == 5 && os.Args[1] == "drive" {
		streams, err := strconv.Atoi(os.Args[3])
		check(err)
		size, err := strconv.Atoi(os.Args[4])
		check(err)
		drive(os.Args[2], streams, size)
		return
	}
	log.Fatal("usage: kitex-bench serve | drive ADDRESS STREAMS SIZE")
}
