// Certificates made while a test runs: a CA and what it signs.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace a4cd {

struct Identity {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;
};

class CertificateAuthority {
 public:
  CertificateAuthority();
  // As --ca-file takes it.
  std::string Pem() const;
  // names: "DNS:localhost,IP:127.0.0.1"; valid from an hour ago, or more, until then.
  Identity Issue(const std::string& names, long valid_for_s = 3600) const;

 private:
  Identity self_;
};

}  // namespace a4cd
