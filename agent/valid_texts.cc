// SPDX-License-Identifier: Apache-2.0
#include "valid_texts.h"

#include "source/read.h"
#include "valid_copy.h"
#include "valid_places.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

constexpr size_t few = 64;
constexpr const char* unfinished = ".next"; // there is one writer, and it writes one at a time
constexpr const char* places_name = ".folders";
constexpr size_t most_places_bytes = 1 << 20;

Result<ValidHead> read_head(int folder, const char* name)
{
    const Fd fd(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        return fail_errno("open");
    std::string text(valid_head_bytes, '\0');
    const ssize_t length = pread(fd.get(), text.data(), text.size(), 0);
    if (length < 0)
        return fail_errno("read");
    text.resize(static_cast<size_t>(length));
    auto head = parse_valid_head(text);
    if (head && valid_name(head->key) != name)
        return fail(0, "its name belongs to another file");
    return head;
}

Result<void> write_all_of(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t length = write(fd, text.data(), text.size());
        if (length < 0 && errno != EINTR)
            return fail_errno("write");
        text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(length, 0)));
    }
    return {};
}

} // namespace

Result<ValidTexts> ValidTexts::open(const std::string& folder)
{
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno("make " + folder);
    Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || fchmod(fd.get(), 0700) != 0)
        return fail_errno("open " + folder);
    ValidTexts texts(folder, std::move(fd));
    texts.list();
    texts.read_places();
    return texts;
}

Result<void> ValidTexts::remove(const std::string& folder)
{
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    return error ? fail_errno("remove " + folder, error.value()) : Result<void>{};
}

void ValidTexts::read_places()
{
    if (unreadable_) // whose copy it was, nobody knows
        return;
    const auto file = read_file(folder_ + "/" + places_name, most_places_bytes);
    if (!file && file.error().code == ENOENT)
        return;
    auto places = file ? parse_places(file->text) : std::unexpected(file.error());
    if (!places)
        return spdlog::warn("where folders were before the start is not known: {}/{}: {}", folder_,
                            places_name, places.error().message);
    places_ = std::move(*places);
    next_places_ = places_;
}

void ValidTexts::list()
{
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(folder_.c_str()), closedir);
    if (!stream)
        return spdlog::warn("what files said before the start is not known: {}",
                            fail_errno("read " + folder_).error().message);
    while (const dirent* entry = readdir(stream.get())) {
        if (entry->d_name[0] == '.')
            continue;
        if (auto head = read_head(fd_.get(), entry->d_name)) {
            copies_.emplace(std::move(head->key), head->copy);
        } else {
            unreadable_ = true;
            spdlog::warn("the copy {}/{} is ignored: {}", folder_, entry->d_name,
                         head.error().message);
        }
    }
}

std::optional<std::string> ValidTexts::text(const Key& key)
{
    const auto known = copies_.find(key);
    if (known == copies_.end())
        return std::nullopt;
    auto file = read_file(folder_ + "/" + valid_name(key), MAX_FILE_BYTES + valid_head_bytes);
    if (!file) {
        ignore(key, file.error().message);
        return std::nullopt;
    }
    const auto head = parse_valid_head(file->text);
    if (head)
        file->text.erase(0, head->length);
    if (!head || head->key != key || file->text.size() != head->copy.bytes ||
        hash_of(file->text) != head->copy.hash) {
        ignore(key, "it is damaged");
        return std::nullopt;
    }
    return std::move(file->text);
}

void ValidTexts::ignore(const Key& key, std::string_view reason)
{
    spdlog::warn("the copy {}/{} of {} is ignored: {}", folder_, valid_name(key), key.second,
                 reason);
    copies_.erase(key);
}

void ValidTexts::keep(const Key& key, std::string text)
{
    due_.insert_or_assign(key, std::move(text));
}

void ValidTexts::drop(const Key& key)
{
    due_.erase(key);
    copies_.erase(key);
    if (unlinkat(fd_.get(), valid_name(key).c_str(), 0) != 0 && errno != ENOENT)
        spdlog::warn("{}", fail_errno("remove the copy of " + key.second).error().message);
}

void ValidTexts::set_places(Places places)
{
    next_places_ = std::move(places);
}

void ValidTexts::write_next()
{
    const auto next = due_.begin();
    if (next == due_.end()) {
        if (places_ != next_places_ && write_places())
            places_ = next_places_;
        return;
    }
    if (write_text(next->first, next->second))
        due_.erase(next);
}

bool ValidTexts::write_text(const Key& key, const std::string& text)
{
    const Copy copy{.bytes = text.size(), .hash = hash_of(text)};
    const auto known = copies_.find(key);
    if (known != copies_.end() && known->second == copy)
        return true;
    if (auto written = write(valid_name(key), valid_head(key, copy), text); !written) {
        error_ = written.error().message;
        if (error_ != said_)
            spdlog::warn("should {} break while no agent runs, the next one will not know "
                         "what it said: {}",
                         key.second, error_);
        said_ = error_;
        return false;
    }
    copies_.insert_or_assign(key, copy);
    said_.clear();
    return true;
}

bool ValidTexts::write_places()
{
    const auto written = write(places_name, "", text_of(next_places_));
    if (written)
        return true;
    error_ = written.error().message;
    if (error_ != said_)
        spdlog::warn("should a folder be away when the next agent starts, it will not know where "
                     "it was: {}",
                     error_);
    said_ = error_;
    return false;
}

void ValidTexts::write_all()
{
    while (due())
        write_next();
}

void ValidTexts::write_few()
{
    if (due_.size() <= few)
        write_all();
    if (!due_.empty())
        forget_places();
}

void ValidTexts::forget_places()
{
    if (!std::exchange(places_, {}).empty() && unlinkat(fd_.get(), places_name, 0) != 0 &&
        errno != ENOENT)
        spdlog::warn("{}", fail_errno("remove " + folder_ + "/" + places_name).error().message);
}

void ValidTexts::retry()
{
    error_.clear();
}

Result<void> ValidTexts::write(const std::string& name, std::string_view head,
                               std::string_view text) const
{
    const Fd fd(
        openat(fd_.get(), unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd)
        return fail_errno("make " + folder_ + "/" + unfinished);
    auto done = write_all_of(fd.get(), head);
    if (done)
        done = write_all_of(fd.get(), text);
    if (done && renameat(fd_.get(), unfinished, fd_.get(), name.c_str()) != 0)
        done = fail_errno("rename");
    if (done)
        return done;
    unlinkat(fd_.get(), unfinished, 0); // it may be what fills the disk
    return fail("write a copy to " + folder_, done.error());
}

} // namespace ebpfd
