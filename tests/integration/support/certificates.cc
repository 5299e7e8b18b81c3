#include "tests/integration/support/certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace a4cd {
namespace {

void Add(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Not signed yet.
Identity Draft(const std::string& name, long serial, long valid_for_s) {
  Identity made{{EVP_EC_gen("P-256"), EVP_PKEY_free}, {X509_new(), X509_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), std::min(-3600L, valid_for_s - 3600));
  X509_gmtime_adj(X509_getm_notAfter(certificate), valid_for_s);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return made;
}

void Sign(const Identity& drafted, const Identity& by) {
  X509_set_issuer_name(drafted.certificate.get(), X509_get_subject_name(by.certificate.get()));
  EXPECT_GT(X509_sign(drafted.certificate.get(), by.key.get(), EVP_sha256()), 0);
}

}  // namespace

CertificateAuthority::CertificateAuthority() : self_(Draft("a CA of a test", 1, 3600)) {
  X509* certificate = self_.certificate.get();
  Add(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  Add(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  Sign(self_, self_);
}

std::string CertificateAuthority::Pem() const {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(memory.get(), self_.certificate.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(size)};
}

Identity CertificateAuthority::Issue(const std::string& names, long valid_for_s) const {
  Identity issued = Draft("a server of a test", 2, valid_for_s);
  Add(issued.certificate.get(), self_.certificate.get(), NID_subject_alt_name, names);
  Sign(issued, self_);
  return issued;
}

}  // namespace a4cd
