//! A client that is not Linux: smoltcp on a descriptor that gives and takes a frame at a time.
//!
//! smoltcp-host FD PORT SERVER_PORT FLOWS MESSAGES REQUEST RESPONSE PAUSE_MS
//!
//! It talks like the lab's other client, one connection after the other, and says of each repeat why it sends it, in
//! the lines that the lab reads from the kernel (R: a repeat, C: a change of state), as connections of namespace 1.
//! The last line is JSON: how many repeats and timeouts each connection had.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration as Wait;

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};

const OWN_MAC: [u8; 6] = [2, 0, 0, 0, 0x79, 1];
const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0x79, 2];
const NAMESPACE: u32 = 1;
const LARGEST: usize = 1514;
const BUFFER: usize = 65_535;
const RECOVERY: u32 = 3;
const LOSS: u32 = 4;
const LONGEST_WAIT_MS: u64 = 20;
const CLOSED_PATIENCE_MS: i64 = 40_000;

/// What smoltcp said since the last frame: that it repeats now, at once for three acknowledgements or for its timer.
static REPEATS_FOR: AtomicU32 = AtomicU32::new(0);
static TIMEOUTS: AtomicU32 = AtomicU32::new(0);

struct Words;

impl log::Log for Words {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        let text = record.args().to_string();
        if let Some(waited) = text.strip_prefix("retransmitting at t+") {
            // What acknowledgements asked for gives way to new data, and may wait for the timer then.
            let state = if waited == "0.000s" { RECOVERY } else { LOSS };
            REPEATS_FOR.store(state, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

fn nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn now() -> Instant {
    Instant::from_micros((nanoseconds() / 1000) as i64)
}

/// What a connection has sent so far.
#[derive(Default)]
struct Sent {
    highest: Option<u32>,
    state: u32,
    repeats: u32,
    acked: u32,
}

/// The descriptor, and the flows that went over it.
struct Wire {
    fd: i32,
    answers: VecDeque<Vec<u8>>,
    flows: BTreeMap<u16, Sent>,
}

fn word(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}

fn long(frame: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]])
}

impl Wire {
    fn send(&mut self, frame: &[u8]) {
        match word(frame, 12) {
            0x0806 => self.answer(frame),
            0x0800 => {
                self.tell(frame);
                unsafe { libc::write(self.fd, frame.as_ptr().cast(), frame.len()) };
            }
            _ => {}
        }
    }

    /// Answer a question for the server's address: the way has TCP only.
    fn answer(&mut self, request: &[u8]) {
        let mut reply = request.to_vec();
        reply[0..6].copy_from_slice(&OWN_MAC);
        reply[6..12].copy_from_slice(&SERVER_MAC);
        reply[21] = 2;
        reply[22..28].copy_from_slice(&SERVER_MAC);
        reply[28..32].copy_from_slice(&request[38..42]);
        reply[32..38].copy_from_slice(&OWN_MAC);
        reply[38..42].copy_from_slice(&request[28..32]);
        self.answers.push_back(reply);
    }

    /// Note what a frame acknowledges.
    fn heard(&mut self, frame: &[u8]) {
        let tcp = 14 + usize::from(frame[14] & 15) * 4;
        if word(frame, 12) == 0x0800 && frame[tcp + 13] & 16 != 0 {
            let sent = self.flows.entry(word(frame, tcp + 2)).or_default();
            sent.acked = long(frame, tcp + 8);
        }
    }

    /// Say why a frame repeats something, if it does.
    fn tell(&mut self, frame: &[u8]) {
        let tcp = 14 + usize::from(frame[14] & 15) * 4;
        let flags = frame[tcp + 13];
        let length = usize::from(word(frame, 16)) - (tcp - 14) - usize::from(frame[tcp + 12] >> 4) * 4;
        let span = length as u32 + u32::from(flags & 1) + u32::from(flags >> 1 & 1);
        if span == 0 {
            return;
        }
        let (sport, dport, seq) = (word(frame, tcp), word(frame, tcp + 2), long(frame, tcp + 4));
        let end = seq.wrapping_add(span);
        let sent = self.flows.entry(sport).or_default();
        let highest = sent.highest.unwrap_or(seq);
        if seq.wrapping_sub(highest) as i32 >= 0 {
            if sent.highest.is_none() {
                sent.acked = seq;
            }
            sent.highest = Some(end);
            return;
        }
        let reason = REPEATS_FOR.swap(0, Ordering::Relaxed);
        let time = nanoseconds();
        if reason != 0 {
            sent.state = reason;
            println!("C {time} {NAMESPACE} {sport} {dport} {reason}");
        }
        if reason == LOSS {
            TIMEOUTS.fetch_add(1, Ordering::Relaxed);
        }
        let pending = if reason == LOSS { 0 } else { 1 };
        let tcp_state = if flags & 2 != 0 { 2 } else { 1 };
        println!("R {time} {NAMESPACE} {sport} {dport} {seq} {end} {} {} {pending} 0 {tcp_state} 0", sent.acked, sent.state);
        sent.repeats += 1;
        if end.wrapping_sub(highest) as i32 > 0 {
            sent.highest = Some(end);
        }
    }
}

struct Port(Rc<RefCell<Wire>>);

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

struct Room(Rc<RefCell<Wire>>);

impl TxToken for Room {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.borrow_mut().send(&frame);
        result
    }
}

impl Device for Port {
    type RxToken<'a> = Received;
    type TxToken<'a> = Room;

    fn receive(&mut self, _: Instant) -> Option<(Received, Room)> {
        let answer = self.0.borrow_mut().answers.pop_front();
        if let Some(frame) = answer {
            return Some((Received(frame), Room(self.0.clone())));
        }
        let mut frame = vec![0; LARGEST];
        let count = unsafe { libc::read(self.0.borrow().fd, frame.as_mut_ptr().cast(), LARGEST) };
        if count <= 0 {
            return None;
        }
        frame.truncate(count as usize);
        self.0.borrow_mut().heard(&frame);
        Some((Received(frame), Room(self.0.clone())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room> {
        Some(Room(self.0.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut found = DeviceCapabilities::default();
        found.medium = Medium::Ethernet;
        found.max_transmission_unit = LARGEST;
        found
    }
}

struct Plan {
    port: u16,
    server_port: u16,
    flows: u16,
    messages: u32,
    request: usize,
    response: usize,
    pause_ms: u64,
}

/// Let smoltcp work until something is so.
fn until(
    port: &mut Port,
    interface: &mut Interface,
    sockets: &mut SocketSet,
    mut done: impl FnMut(&mut SocketSet) -> bool,
) {
    loop {
        interface.poll(now(), port, sockets);
        if done(sockets) {
            return;
        }
        let wait = interface.poll_delay(now(), sockets).map_or(LONGEST_WAIT_MS, |delay| delay.total_millis());
        let mut waiting = libc::pollfd { fd: port.0.borrow().fd, events: libc::POLLIN, revents: 0 };
        unsafe { libc::poll(&mut waiting, 1, wait.min(LONGEST_WAIT_MS) as i32) };
    }
}

/// Do what one connection does.
fn talk(plan: &Plan, port: &mut Port, interface: &mut Interface, local: u16) {
    let mut sockets = SocketSet::new(vec![]);
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_congestion_control(tcp::CongestionControl::Reno);
    socket.set_nagle_enabled(false);
    let handle = sockets.add(socket);
    let remote = (IpAddress::v4(10, 79, 0, 2), plan.server_port);
    sockets.get_mut::<tcp::Socket>(handle).connect(interface.context(), remote, local).expect("connect");
    for message in 0..plan.messages {
        if message > 0 {
            let end = now() + smoltcp::time::Duration::from_millis(plan.pause_ms);
            until(port, interface, &mut sockets, |_| now() >= end);
        }
        let (mut left, mut wanted) = (plan.request, plan.response);
        until(port, interface, &mut sockets, |sockets| {
            let socket = sockets.get_mut::<tcp::Socket>(handle);
            while left > 0 && socket.can_send() {
                left -= socket.send_slice(&vec![0; left.min(BUFFER)]).expect("send");
            }
            while wanted > 0 && socket.can_recv() {
                wanted -= socket.recv(|data| (data.len(), data.len())).expect("receive");
            }
            left == 0 && wanted == 0
        });
    }
    sockets.get_mut::<tcp::Socket>(handle).close();
    let patience = now() + smoltcp::time::Duration::from_millis(CLOSED_PATIENCE_MS as u64);
    until(port, interface, &mut sockets, |sockets| {
        let state = sockets.get::<tcp::Socket>(handle).state();
        matches!(state, tcp::State::Closed | tcp::State::TimeWait) || now() > patience
    });
}

fn main() {
    log::set_logger(&Words).expect("one logger");
    log::set_max_level(log::LevelFilter::Debug);
    let numbers: Vec<u64> = std::env::args().skip(1).map(|one| one.parse().expect("a number")).collect();
    let plan = Plan {
        port: numbers[1] as u16,
        server_port: numbers[2] as u16,
        flows: numbers[3] as u16,
        messages: numbers[4] as u32,
        request: numbers[5] as usize,
        response: numbers[6] as usize,
        pause_ms: numbers[7],
    };
    let wire = Wire { fd: numbers[0] as i32, answers: VecDeque::new(), flows: BTreeMap::new() };
    let mut port = Port(Rc::new(RefCell::new(wire)));
    let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(OWN_MAC)));
    config.random_seed = nanoseconds();
    let mut interface = Interface::new(config, &mut port, now());
    interface.update_ip_addrs(|all| all.push(IpCidr::new(IpAddress::v4(10, 79, 0, 1), 24)).expect("room"));
    let mut results = vec![];
    for flow in 0..plan.flows {
        let local = plan.port + flow;
        TIMEOUTS.store(0, Ordering::Relaxed);
        talk(&plan, &mut port, &mut interface, local);
        let repeats = port.0.borrow().flows.get(&local).map_or(0, |sent| sent.repeats);
        let timeouts = TIMEOUTS.load(Ordering::Relaxed);
        results.push(format!("\"{local}\": {{\"total_retrans\": {repeats}, \"total_rto\": {timeouts}}}"));
        std::thread::sleep(Wait::from_millis(1));
    }
    println!("{{{}}}", results.join(", "));
}
