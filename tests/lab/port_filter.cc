// SPDX-License-Identifier: Apache-2.0
#include "lab/port_filter.h"

#include <array>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <sys/socket.h>

namespace lab {

bool hear_only(int fd, uint16_t port, uint8_t protocol)
{
    std::array<sock_filter, 13> code{
        {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4),
         BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 8),
         BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 20 + 2), BPF_STMT(BPF_JMP | BPF_JA, 4),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 5),
         BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 6),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 3),
         BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 40 + 2),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0xffff),
         BPF_STMT(BPF_RET | BPF_K, 0)}};
    const sock_fprog program{.len = code.size(), .filter = code.data()};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

} // namespace lab
