// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "folders.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <vector>

namespace ebpfd {

inline const std::string policy_of_name = "apiVersion: networking.k8s.io/v1\n"
                                          "kind: NetworkPolicy\n"
                                          "metadata: {name: NAME}\n"
                                          "spec: {podSelector: {}}\n";

class FoldersTest : public testing::Test {
protected:
    using Names = std::vector<std::string>;

    FoldersTest()
    {
        std::string name =
            (std::filesystem::temp_directory_path() / "ebpfd-folders-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        std::filesystem::create_directory(dir_ + "/p");
        std::filesystem::create_directory(dir_ + "/i");
    }
    ~FoldersTest() override { std::filesystem::remove_all(dir_); }

    Folders watch()
    {
        auto folders = Folders::watch({{dir_ + "/p"}, true}, {{dir_ + "/i"}, true}, texts());
        EXPECT_TRUE(folders) << folders.error().message;
        folders->rescan();
        return std::move(*folders);
    }
    ValidTexts texts() const
    {
        auto texts = ValidTexts::open(dir_ + "/valid");
        EXPECT_TRUE(texts) << texts.error().message;
        return std::move(*texts);
    }
    // An agent that saw what lies there, had time to copy it, and ended.
    void run_once()
    {
        Folders folders = watch();
        folders.remember();
        folders.texts().write_all();
    }
    ptrdiff_t copies() const
    {
        return std::ranges::count_if(
            std::filesystem::directory_iterator(dir_ + "/valid"),
            [](const auto& file) { return !file.path().filename().string().starts_with('.'); });
    }
    // An empty folder where the one with the files was: what a missing mount leaves.
    void leave_mount_point()
    {
        std::filesystem::rename(dir_ + "/p", dir_ + "/away");
        std::filesystem::create_directory(dir_ + "/p");
    }
    void mount_again()
    {
        std::filesystem::remove(dir_ + "/p");
        std::filesystem::rename(dir_ + "/away", dir_ + "/p");
    }
    void write_policy(const std::string& path, std::string name)
    {
        std::string text = policy_of_name;
        text.replace(text.find("NAME"), 4, name);
        std::ofstream(dir_ + "/" + path) << text;
    }
    static Names names(const Folders& folders)
    {
        Names out;
        for (const auto& object : folders.in_force().policies)
            out.push_back(object->name);
        return out;
    }
    // Takes in what comes until the condition holds.
    template <class Condition> static bool eventually(Folders& folders, Condition&& condition)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!condition() && std::chrono::steady_clock::now() < end) {
            std::vector<pollfd> fds;
            for (const int fd : folders.fds())
                fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
            poll(fds.data(), fds.size(), 100);
            folders.collect();
        }
        return condition();
    }

    std::string dir_;
};

} // namespace ebpfd
